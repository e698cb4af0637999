#pragma once

#include "kernels/core/backend.hpp"
#include "kernels/core/stream.hpp"

#include <tuple>
#include <utility>

#ifdef __CUDACC__
#include "kernels/core/cuda_check.hpp"
#else
#include "kernels/simt/recording.hpp"
#include "kernels/simt/runtime.hpp"
#endif

namespace ascore::kernels::ASCORE_BACKEND {

#ifdef __CUDACC__
/// Starts `kernel` on the GPU; throws DeviceError naming the running operation and its shapes if it cannot start.
template <class... P>
void start(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, Stream& stream, std::tuple<P...>& values) {
  // Above 48 KiB dynamic shared memory must be asked for, once per kernel and device; asking again costs little.
  if (shared_bytes > 48 * 1024) {
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)),
          "cudaFuncSetAttribute", stream);
  }
  std::apply(
      [&](auto&... value) {
        void* pointers[] = {const_cast<void*>(static_cast<const void*>(&value))..., nullptr};
        check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers, shared_bytes,
                               static_cast<cudaStream_t>(stream.native())),
              "cudaLaunchKernel", stream);
      },
      values);
}
#else
/// A kernel and its arguments. They lie on the host's stack, where a kernel itself may not look.
template <class... P>
struct Launch {
  void (*kernel)(P...);
  std::tuple<P...>& values;

  ASCORE_UNCHECKED static void run(const void* self) {
    static_cast<const Launch*>(self)->call(std::index_sequence_for<P...>{});
  }
  template <size_t... I>
  ASCORE_UNCHECKED void call(std::index_sequence<I...>) const {
    kernel(std::get<I>(values)...);
  }
};

/// Runs every thread of every block of `kernel` on the calling host thread; during a capture it is only remembered,
/// with its arguments as they are now.
template <class... P>
void start(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, Stream& stream, std::tuple<P...>& values) {
  if (Recording* const recording = stream.recording()) {
    recording->add(stream, [kernel, grid, block, shared_bytes, values](Stream& replayed) mutable {
      start(kernel, grid, block, shared_bytes, replayed, values);
    });
    return;
  }
  const Launch<P...> launch{kernel, values};
  run_grid(stream, grid, block, shared_bytes, {&Launch<P...>::run, &launch});
}
#endif

/// Starts a kernel: the only door. Arguments are converted to the kernel's own parameter types (an int meant as int64_t
/// is widened here). An empty grid is nothing to do, not an error.
template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, Stream& stream, A&&... args) {
  static_assert(sizeof...(P) == sizeof...(A), "launch: one argument per kernel parameter");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  std::tuple<P...> values(static_cast<P>(std::forward<A>(args))...);
  start(kernel, grid, block, shared_bytes, stream, values);
}

/// Blocks of `threads` that cover `count` elements with one thread each, at most `cap` (a grid-stride loop does the
/// rest).
inline unsigned blocks_for(int64_t count, int threads, int64_t cap = int64_t(1) << 30) {
  const int64_t blocks = (count + threads - 1) / threads;
  return static_cast<unsigned>(blocks < cap ? blocks : cap);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
