#pragma once

#include "kernels/core/dtype.hpp"
#include "kernels/core/parallel.hpp"

namespace ascore::kernels::cpu {

/// out[i] = f(in[i]...) for i in [0, count), vectorised and on the stream's threads: f takes and returns accumulators.
/// `out` may be one of `in`.
template <class F, class Out, class... In>
void map_elements(Stream& stream, F f, int64_t count, Out* out, const In*... in) {
  parallel_chunks(stream, count, 1 << 14, [&](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) out[i] = narrow<Out>(f(widen(in[i])...));
  });
}

}  // namespace ascore::kernels::cpu
