#pragma once

#include "kernels/activation/functions.hpp"
#include "kernels/activation/host_math.hpp"
#include "kernels/conv2d/conv2d_epilogue.hpp"
#include "kernels/conv2d/conv2d_runs.hpp"
#include "kernels/core/dtype.hpp"
#include "kernels/core/run_moments.hpp"

#include <cstdint>

/// The epilogues of conv2d on the cpu, on runs of sums that are still in the cache.
namespace ascore::kernels::cpu {

/// Either epilogue: with `kept`, the gradient's.
struct Finish {
  ConstView bias, kept, residual;  ///< bias: of a transposed convolution
  Activation activation = Activation::identity;
  double slope = 0;
  View sum, runs;
  int64_t run_length = 0;  ///< pixels of a run

  Finish() = default;
  /// `pixels`: of an image.
  Finish(const Conv2dEpilogue& e, int64_t pixels)
      : residual(e.residual),
        activation(e.activation),
        slope(e.slope),
        sum(e.sum),
        runs(e.runs),
        run_length(kernels::run_length(pixels)) {}
  Finish(const Conv2dGradEpilogue& e)
      : bias(e.bias),
        kept(e.kept),
        residual(e.residual),
        activation(e.kept ? e.activation : Activation::identity),
        slope(e.slope) {}
  /// True if sums are stored as they are.
  bool none() const { return !bias && !residual && !sum && !runs && activation == Activation::identity; }
};

/// Makes elements [at, at + count) of y of their sums. `sums` are overwritten; they may be y's own memory. With `bias`,
/// the elements must be whole pixels, with `runs` whole runs of them.
template <class T>
void finish(const Finish& f, accumulator_t<T>* sums, int64_t at, int64_t count, T* y) {
  using Acc = accumulator_t<T>;
  if (f.bias) {
    const Acc* const bias = f.bias.as<Acc>();
    const int64_t C = f.bias.count();
    for (Acc *pixel = sums, *const end = sums + count; pixel < end; pixel += C) {
#pragma omp simd
      for (int64_t c = 0; c < C; ++c) pixel[c] += bias[c];
    }
  }
  if (f.kept) {
    const T* const kept = f.kept.as<T>() + at;
    functions::for_activation<ActivationMath>(f.activation, f.slope, [&](auto function) {
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) sums[i] *= function.slope(widen(kept[i]));
    });
  }
  if (f.residual) {
    const T* const residual = f.residual.as<T>() + at;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) sums[i] += widen(residual[i]);
  }
  if (f.sum) {
    T* const sum = f.sum.as<T>() + at;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) sum[i] = narrow<T>(sums[i]);
  }
  if (f.runs) {
    const int64_t C = f.runs.dim(3), run = f.run_length * C;
    for (int64_t begin = 0; begin < count; begin += run) {
      measure_run<T>(sums + begin, f.run_length, C, f.runs.as<Acc>() + (at + begin) / run * 2 * C);
    }
  }
  T* const out = y + at;
  if (!f.kept && f.activation != Activation::identity) {
    functions::for_activation<ActivationMath>(f.activation, f.slope, [&](auto function) {
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) out[i] = narrow<T>(static_cast<Acc>(function(sums[i])));
    });
  } else if (static_cast<const void*>(sums) != out) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) out[i] = narrow<T>(sums[i]);
  }
}

}  // namespace ascore::kernels::cpu
