#include "kernels/core/kernel.hpp"
#include "kernels/score_loss/score_loss.hpp"
#include "kernels/score_loss/score_loss_terms.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Block (k, n) sums chunk k of sample n into partial[n * chunks + k].
__global__ void chunk_sums_kernel(DsmLoss kind, const float* s, const float* target, float* partial, int64_t size) {
  float* scratch = shared_array<float, kThreads / kWarpSize>();
  const int64_t sample = int64_t(blockIdx.y) * size, begin = int64_t(blockIdx.x) * kScoreLossChunk;
  const int64_t end = begin + kScoreLossChunk < size ? begin + kScoreLossChunk : size;
  float sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    sum += score_loss_term(kind, s[sample + i] - target[sample + i]);
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) partial[int64_t(blockIdx.y) * gridDim.x + blockIdx.x] = sum;
}

/// Block n writes factor times the sum of its `count` adjacent values to sums[n].
__global__ void row_sums_kernel(const float* values, float* sums, int64_t count, float factor) {
  float* scratch = shared_array<float, kThreads / kWarpSize>();
  const float* row = values + int64_t(blockIdx.x) * count;
  float sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += row[i];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) sums[blockIdx.x] = factor * sum;
}

__global__ void score_loss_backward_kernel(DsmLoss kind, const float* s, const float* target, const float* grad_mean,
                                           float* grad_s, float samples, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) grad_s[i] = *grad_mean / samples * score_loss_slope(kind, s[i] - target[i]);
}

}  // namespace

void score_loss(Stream& stream, DsmLoss kind, ConstView s, ConstView target, View per_sample, View mean,
                View workspace) {
  const int64_t samples = s.dim(0), size = score_loss_sample_size(s.shape());
  // A sample without elements still gets its sum, zero.
  const int64_t chunks = size > 0 ? score_loss_chunks(s.shape()) : 1;
  float* const sums = per_sample.as<float>();
  float* const partial = chunks > 1 ? static_cast<float*>(workspace.raw()) : sums;
  launch(chunk_sums_kernel, dim3(unsigned(chunks), unsigned(samples)), kThreads, 0, stream, kind, s.as<float>(),
         target.as<float>(), partial, size);
  if (chunks > 1) launch(row_sums_kernel, unsigned(samples), kThreads, 0, stream, partial, sums, chunks, 1.0f);
  launch(row_sums_kernel, 1, kThreads, 0, stream, sums, mean.as<float>(), samples, 1.0 / double(samples));
}

void score_loss_backward(Stream& stream, DsmLoss kind, ConstView s, ConstView target, ConstView grad_mean,
                         View grad_s) {
  launch(score_loss_backward_kernel, blocks_for(s.count(), kThreads), kThreads, 0, stream, kind, s.as<float>(),
         target.as<float>(), grad_mean.as<float>(), grad_s.as<float>(), s.dim(0), s.count());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
