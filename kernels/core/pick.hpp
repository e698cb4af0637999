#pragma once

#include "kernels/core/dry_run.hpp"
#include "kernels/core/op_observer.hpp"
#include "kernels/core/op_scope.hpp"

namespace ascore::kernels {

/// Throws DeviceError: `device` is not part of this build, or has no such operation.
[[noreturn]] void throw_no_backend(const Stream& stream);

/// What the cpu's function does on a dry stream: most are left out. Those that keep memory of their own with the stream
/// are called all the same, so that it is counted; they compute nothing then.
enum class DryCpu : uint8_t { left_out, counts_memory };

/// A backend's function, called as that function is: times it for the stream's observer; null runs nothing.
template <class Function>
class Picked;
template <class... A>
class Picked<void (*)(Stream&, A...)> {
 public:
  explicit Picked(void (*function)(Stream&, A...)) : function_(function) {}
  void operator()(Stream& stream, A... arguments) const {
    if (!function_) return;
    const ObservedOp observed(stream, stream.current_op() ? stream.current_op()->name() : "operation");
    function_(stream, arguments...);
  }

 private:
  void (*function_)(Stream&, A...);
};

/// The backend of an operation for the stream's device:
///
///   pick<cpu::relu, simt::relu, cuda::relu>(stream)(stream, x, y);
///
/// The backends are template arguments so that one which this build lacks is never referenced: no `#ifdef` in callers.
template <auto Cpu, auto Simt, auto Cuda, DryCpu dry_cpu = DryCpu::left_out>
Picked<decltype(Cpu)> pick(const Stream& stream) {
  const bool counts = dry_cpu == DryCpu::counts_memory && stream.device() == Device::cpu;
  if (is_dry(stream) && !counts) return Picked<decltype(Cpu)>(nullptr);
  if (stream.device() == Device::cpu) return Picked<decltype(Cpu)>(Cpu);
  if constexpr (kSimtBuilt) {
    if (stream.device() == Device::simt) return Picked<decltype(Cpu)>(Simt);
  }
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) return Picked<decltype(Cpu)>(Cuda);
  }
  throw_no_backend(stream);
}

}  // namespace ascore::kernels
