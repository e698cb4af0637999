#include "kernels/core/exact_f32.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/wave_embedding/functions.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 128;

/// Sine and cosine of an angle of any size: its part of a turn, in 2^-32 turns, is taken in f64.
__device__ __forceinline__ exact::SinCos sincos_of(double angle) {
  const double turns = angle * 0.15915494309189535;  // 1 / (2 pi)
  const auto part = static_cast<uint64_t>((turns - floor(turns)) * 4294967296.0);  // 2^32 if it rounds up to a turn
  return exact::sincos_of_turn(static_cast<uint32_t>(part));
}

/// A thread makes one pair of waves.
__global__ void wave_embedding_kernel(const float* sigma, LevelScale scale, double longest, float* waves, int64_t count,
                                      int64_t half) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count * half) return;
  const int64_t n = i / half, k = i - n * half;
  const double t = functions::level_place(scale, sigma[n]);
  const exact::SinCos wave = sincos_of(t * functions::frequency(longest, k, half));
  waves[n * 2 * half + k] = wave.sin;
  waves[n * 2 * half + half + k] = wave.cos;
}

}  // namespace

void wave_embedding(Stream& stream, ConstView sigma, const LevelScale& scale, double longest, View waves) {
  const int64_t half = waves.dim(1) / 2;
  launch(wave_embedding_kernel, blocks_for(sigma.count() * half, kThreads), kThreads, 0, stream, sigma.as<float>(),
         scale, longest, waves.as<float>(), sigma.count(), half);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
