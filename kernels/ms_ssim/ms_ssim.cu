#include "kernels/core/kernel.hpp"
#include "kernels/ms_ssim/ms_ssim.hpp"
#include "kernels/ms_ssim/ssim_levels.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 128;

/// The weights of SsimWeights, whose middle one is `center`, in shared memory, where they can be indexed at run time.
/// Called by the whole block.
__device__ __forceinline__ const float* shared_weights(float center) {
  float* const shared = shared_array<float, kSsimWindow>();
  if (threadIdx.x < kSsimWindow) {
    const float d = static_cast<float>(threadIdx.x) - static_cast<float>(kSsimWindow / 2);
    shared[threadIdx.x] = center * expf(-d * d / 4.5f);
  }
  __syncthreads();
  return shared;
}
float center_weight() {
  return SsimWeights<float>().weight[kSsimWindow / 2];
}

/// Moments of the window of image n, channel c whose first pixel is (row, column).
__device__ __forceinline__ SsimMoments<float> window_moments(const SsimLevel& level, const float* weights,
                                                             const float* x, const float* y, int64_t n, int64_t row,
                                                             int64_t column, int64_t c) {
  SsimMoments<float> moments;
#pragma unroll 1
  for (int i = 0; i < kSsimWindow; ++i) {
    const int64_t line = ((n * level.H + row + i) * level.W + column) * level.C + c;
#pragma unroll
    for (int j = 0; j < kSsimWindow; ++j) {
      const int64_t at = line + j * level.C;
      moments.add(weights[i] * weights[j], x[at], y[at]);
    }
  }
  return moments;
}

/// Block (row, image and channel): the sum of a row of windows' terms.
__global__ void ssim_rows_kernel(SsimLevel level, float center, const float* x, const float* y, bool last,
                                 float* rows) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const float* const by_distance = shared_weights(center);
  const int64_t row = blockIdx.x, image = blockIdx.y, n = image / level.C, c = image % level.C;
  float sum = 0;
  for (int64_t column = threadIdx.x; column < level.columns(); column += kThreads) {
    sum += SsimTerm<float>(window_moments(level, by_distance, x, y, n, row, column, c), last).value;
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) rows[image * level.rows() + row] = sum;
}

/// Block per image and channel: the mean over its rows of windows.
__global__ void ssim_means_kernel(SsimLevel level, const float* rows, float* means) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  float sum = 0;
  for (int64_t row = threadIdx.x; row < level.rows(); row += kThreads) sum += rows[blockIdx.x * level.rows() + row];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) means[blockIdx.x] = sum / static_cast<float>(level.rows() * level.columns());
}

/// One block: the result and its derivatives by the means.
__global__ void ssim_combine_kernel(const float* means, float* similarity, float* slopes, int64_t count) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  float total = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) {
    float product = 1;
    for (int l = 0; l < kSsimLevels; ++l) product *= powf(fmaxf(means[l * count + i], 0.0f), ssim_exponent<float>(l));
    for (int l = 0; l < kSsimLevels; ++l) {
      const float mean = means[l * count + i];
      slopes[l * count + i] = mean > 0 ? ssim_exponent<float>(l) * product / mean / static_cast<float>(count) : 0.0f;
    }
    total += product;
  }
  total = block_sum<kThreads>(total, scratch);
  if (threadIdx.x == 0) *similarity = total / static_cast<float>(count);
}

__global__ void ssim_halve_kernel(SsimLevel fine, SsimLevel coarse, const float* x, float* y) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= coarse.count()) return;
  const int64_t c = i % coarse.C, pixel = i / coarse.C, line = pixel / coarse.W;
  const int64_t column = 2 * (pixel % coarse.W) - fine.W % 2, row = 2 * (line % coarse.H) - fine.H % 2;
  float sum = 0;
  for (int64_t r = row < 0 ? 0 : row; r < row + 2; ++r) {
    const int64_t at = ((line / coarse.H * fine.H + r) * fine.W + column) * fine.C + c;
    if (column >= 0) sum += x[at];
    sum += x[at + fine.C];
  }
  y[i] = 0.25f * sum;
}

/// Thread per window: its share of the gradient by each of its moments.
__global__ void ssim_maps_kernel(SsimLevel level, float center, const float* x, const float* y, bool last,
                                 const float* slopes, const float* grad, float* maps) {
  const float* const by_distance = shared_weights(center);
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x, count = level.windows();
  if (i >= count) return;
  const int64_t c = i % level.C, window = i / level.C, line = window / level.columns();
  const int64_t n = line / level.rows();
  const SsimTerm<float> term(
      window_moments(level, by_distance, x, y, n, line % level.rows(), window % level.columns(), c), last);
  const float slope = *grad * slopes[n * level.C + c] / static_cast<float>(level.rows() * level.columns());
  maps[i] = slope * term.by_x;
  maps[count + i] = slope * term.by_xx;
  maps[2 * count + i] = slope * term.by_xy;
}

/// Thread per element of x: the maps of the windows that it lies in, and a quarter of the coarser level's gradient.
__global__ void ssim_spread_kernel(SsimLevel level, float center, const float* x, const float* y, const float* maps,
                                   SsimLevel coarse, const float* from_coarse, float* dx) {
  const float* const by_distance = shared_weights(center);
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x, count = level.windows();
  if (i >= level.count()) return;
  const int64_t c = i % level.C, pixel = i / level.C, line = pixel / level.W, column = pixel % level.W;
  const int64_t n = line / level.H, row = line % level.H;
  float by_x = 0, by_xx = 0, by_xy = 0;
  for (int a = 0; a < kSsimWindow; ++a) {
    if (row - a < 0 || row - a >= level.rows()) continue;
    for (int b = 0; b < kSsimWindow; ++b) {
      if (column - b < 0 || column - b >= level.columns()) continue;
      const float weight = by_distance[a] * by_distance[b];
      const int64_t at = ((n * level.rows() + row - a) * level.columns() + column - b) * level.C + c;
      by_x += weight * maps[at];
      by_xx += weight * maps[count + at];
      by_xy += weight * maps[2 * count + at];
    }
  }
  float sum = by_x + 2.0f * x[i] * by_xx + y[i] * by_xy;
  if (from_coarse) {
    const int64_t parent_row = (row + level.H % 2) / 2, parent = (column + level.W % 2) / 2;
    sum += 0.25f * from_coarse[((n * coarse.H + parent_row) * coarse.W + parent) * coarse.C + c];
  }
  dx[i] = sum;
}

}  // namespace

void ms_ssim(Stream& stream, ConstView x, ConstView y, View similarity, View slopes, View pyramid, View workspace) {
  const auto levels = ssim_levels(x.shape());
  const float *const px = x.as<float>(), *const py = y.as<float>();
  const int64_t count = levels[0].N * levels[0].C;
  float* const parts = pyramid.as<float>();
  float* const means = reinterpret_cast<float*>(workspace.as<uint8_t>());
  float* const rows = means + kSsimLevels * count;
  for (size_t l = 0; l < kSsimLevels; ++l) {
    const SsimLevel& level = levels[l];
    const float* const at_x = level_images<const float>(levels, l, px, parts, false);
    const float* const at_y = level_images<const float>(levels, l, py, parts, true);
    launch(ssim_rows_kernel, dim3(static_cast<unsigned>(level.rows()), static_cast<unsigned>(count)), kThreads, 0,
           stream, level, center_weight(), at_x, at_y, l + 1 == kSsimLevels, rows);
    launch(ssim_means_kernel, dim3(static_cast<unsigned>(count)), kThreads, 0, stream, level, rows,
           means + static_cast<int64_t>(l) * count);
    if (l + 1 == kSsimLevels) break;
    const SsimLevel& next = levels[l + 1];
    for (const bool is_y : {false, true}) {
      launch(ssim_halve_kernel, blocks_for(next.count(), kThreads), kThreads, 0, stream, level, next,
             is_y ? at_y : at_x, level_images<float>(levels, l + 1, nullptr, parts, is_y));
    }
  }
  launch(ssim_combine_kernel, dim3(1), kThreads, 0, stream, means, similarity.as<float>(), slopes.as<float>(), count);
}

void ms_ssim_backward(Stream& stream, ConstView x, ConstView y, ConstView slopes, ConstView pyramid,
                      ConstView grad_similarity, View dx, View workspace) {
  const auto levels = ssim_levels(x.shape());
  const float *const px = x.as<float>(), *const py = y.as<float>();
  float* const gradients = reinterpret_cast<float*>(workspace.as<uint8_t>());
  float* const maps = gradients + pyramid_half(levels);
  for (size_t l = kSsimLevels; l-- > 0;) {
    const SsimLevel& level = levels[l];
    const bool last = l + 1 == kSsimLevels;
    const SsimLevel& coarse = levels[last ? l : l + 1];
    const float* const at_x = level_images(levels, l, px, pyramid.as<float>(), false);
    const float* const at_y = level_images(levels, l, py, pyramid.as<float>(), true);
    launch(ssim_maps_kernel, blocks_for(level.windows(), kThreads), kThreads, 0, stream, level, center_weight(), at_x,
           at_y, last, slopes.as<float>() + static_cast<int64_t>(l) * level.N * level.C, grad_similarity.as<float>(),
           maps);
    launch(ssim_spread_kernel, blocks_for(level.count(), kThreads), kThreads, 0, stream, level, center_weight(), at_x,
           at_y, maps, coarse, last ? nullptr : gradients + coarse.offset,
           level_images(levels, l, dx.as<float>(), gradients, false));
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
