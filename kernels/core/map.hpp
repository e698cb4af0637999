#pragma once

#include "kernels/core/kernel.hpp"

#include <cstdint>

namespace ascore::kernels::ASCORE_BACKEND {

/// `Width` adjacent elements, moved by one load or store.
template <class T, int Width>
struct alignas(sizeof(T) * Width) Pack {
  T values[Width];
};

/// out[i] = f(in[i]...): every thread takes `Width` adjacent elements, and the last one of the grid what is left over.
template <int Width, class F, class Out, class... In>
__global__ void map_kernel(F f, int64_t count, Out* out, const In*... in) {
  constexpr int kThreads = 256;
  const int64_t first = (int64_t(blockIdx.x) * kThreads + threadIdx.x) * Width;
  if (first + Width <= count) {
    Pack<Out, Width> result;
    const auto apply = [&](const auto&... packs) {
      for (int i = 0; i < Width; ++i) result.values[i] = narrow<Out>(f(widen(packs.values[i])...));
    };
    apply(*reinterpret_cast<const Pack<In, Width>*>(in + first)...);
    *reinterpret_cast<Pack<Out, Width>*>(out + first) = result;
  } else {
    for (int64_t i = first; i < count; ++i) out[i] = narrow<Out>(f(widen(in[i])...));
  }
}

/// True if `memory` may be moved in packs.
template <int Width, class T>
bool is_packable(const T* memory) {
  return reinterpret_cast<uintptr_t>(memory) % sizeof(Pack<T, Width>) == 0;
}

/// Starts out[i] = f(in[i]...) for i in [0, count): f takes and returns accumulators (float). `out` may be one of `in`.
template <class F, class Out, class... In>
void map_elements(Stream& stream, F f, int64_t count, Out* out, const In*... in) {
  constexpr int kThreads = 256, kWidth = 4;
  if (is_packable<kWidth>(out) && (is_packable<kWidth>(in) && ...)) {
    const int64_t packs = (count + kWidth - 1) / kWidth;
    launch(map_kernel<kWidth, F, Out, In...>, blocks_for(packs, kThreads), kThreads, 0, stream, f, count, out, in...);
  } else {
    launch(map_kernel<1, F, Out, In...>, blocks_for(count, kThreads), kThreads, 0, stream, f, count, out, in...);
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
