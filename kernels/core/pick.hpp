#pragma once

#include "kernels/core/stream.hpp"

namespace ascore::kernels {

/// Throws DeviceError: `device` is not part of this build, or has no such operation.
[[noreturn]] void throw_no_backend(const Stream& stream);

/// The backend of an operation for the stream's device:
///
///   pick<cpu::relu, simt::relu, cuda::relu>(stream)(stream, x, y);
///
/// The backends are template arguments so that one which this build lacks is never referenced: no `#ifdef` in callers.
template <auto Cpu, auto Simt, auto Cuda>
auto pick(const Stream& stream) -> decltype(Cpu) {
  if (stream.device() == Device::cpu) return Cpu;
  if constexpr (kSimtBuilt) {
    if (stream.device() == Device::simt) return Simt;
  }
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) return Cuda;
  }
  throw_no_backend(stream);
}

}  // namespace ascore::kernels
