#include "kernels/core/kernel.hpp"
#include "kernels/standardize/runs.hpp"
#include "kernels/standardize/standardize.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// The run that this block works on.
struct Run {
  int64_t begin, end;
  __device__ explicit Run(int64_t count)
      : begin(int64_t(blockIdx.x) * kStandardizeRun),
        end(begin + kStandardizeRun < count ? begin + kStandardizeRun : count) {}
  __device__ float size() const { return static_cast<float>(end - begin); }
};

/// Block per run: its mean, and the sum of squared distances from it.
__global__ void run_moments_kernel(const float* x, float* means, float* squares, int64_t count) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const Run run(count);
  float sum = 0, spread = 0;
  for (int64_t i = run.begin + threadIdx.x; i < run.end; i += kThreads) sum += x[i];
  const float mean = block_sum<kThreads>(sum, scratch) / run.size();
  for (int64_t i = run.begin + threadIdx.x; i < run.end; i += kThreads) spread += (x[i] - mean) * (x[i] - mean);
  spread = block_sum<kThreads>(spread, scratch);
  if (threadIdx.x != 0) return;
  means[blockIdx.x] = mean;
  squares[blockIdx.x] = spread;
}

/// One block: the runs' moments put together, by the mean first. Only the last run may be shorter.
__global__ void whole_moments_kernel(const float* means, const float* squares, float* statistics, int64_t runs,
                                     int64_t count) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const float last = static_cast<float>(count - (runs - 1) * kStandardizeRun), first = means[0];
  const auto size = [=](int64_t run) { return run + 1 < runs ? static_cast<float>(kStandardizeRun) : last; };
  float sum = 0, spread = 0;
  for (int64_t run = threadIdx.x; run < runs; run += kThreads) sum += size(run) * (means[run] - first);
  const float mean = first + block_sum<kThreads>(sum, scratch) / static_cast<float>(count);
  for (int64_t run = threadIdx.x; run < runs; run += kThreads) {
    const float d = means[run] - mean;
    spread += squares[run] + size(run) * d * d;
  }
  spread = block_sum<kThreads>(spread, scratch);
  if (threadIdx.x != 0) return;
  statistics[0] = mean;
  statistics[1] = 1.0f / (spread / static_cast<float>(count - 1) + static_cast<float>(kStandardizeEpsilon));
}

__global__ void standardize_kernel(const float* x, const float* statistics, float* y, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) y[i] = statistics[1] * x[i];
}

/// Block per run: its part of sum(dy x).
__global__ void run_products_kernel(const float* x, const float* dy, float* products, int64_t count) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const Run run(count);
  float sum = 0;
  for (int64_t i = run.begin + threadIdx.x; i < run.end; i += kThreads) sum += x[i] * dy[i];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) products[blockIdx.x] = sum;
}

/// One block: 2 r^2 sum(dy x) / (M - 1).
__global__ void slope_kernel(const float* products, const float* statistics, float* slope, int64_t runs,
                             int64_t count) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  float sum = 0;
  for (int64_t run = threadIdx.x; run < runs; run += kThreads) sum += products[run];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) *slope = 2.0f * statistics[1] * statistics[1] * sum / static_cast<float>(count - 1);
}

__global__ void standardize_gradient_kernel(const float* x, const float* dy, const float* statistics,
                                            const float* slope, float* dx, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) dx[i] = statistics[1] * dy[i] - *slope * (x[i] - statistics[0]);
}

}  // namespace

void standardize(Stream& stream, ConstView x, View y, View statistics, View workspace) {
  const float* const px = x.as<float>();
  const int64_t count = x.count(), runs = standardize_runs(x.shape());
  float* const means = reinterpret_cast<float*>(workspace.as<uint8_t>());
  float* const squares = means + runs;
  launch(run_moments_kernel, dim3(static_cast<unsigned>(runs)), kThreads, 0, stream, px, means, squares, count);
  launch(whole_moments_kernel, dim3(1), kThreads, 0, stream, means, squares, statistics.as<float>(), runs, count);
  launch(standardize_kernel, blocks_for(count, kThreads), kThreads, 0, stream, px, statistics.as<float>(),
         y.as<float>(), count);
}

void standardize_backward(Stream& stream, ConstView x, ConstView statistics, ConstView dy, View dx, View workspace) {
  const float *const px = x.as<float>(), *const pdy = dy.as<float>();
  const int64_t count = x.count(), runs = standardize_runs(x.shape());
  float* const products = reinterpret_cast<float*>(workspace.as<uint8_t>());
  float* const slope = products + runs;
  launch(run_products_kernel, dim3(static_cast<unsigned>(runs)), kThreads, 0, stream, px, pdy, products, count);
  launch(slope_kernel, dim3(1), kThreads, 0, stream, products, statistics.as<float>(), slope, runs, count);
  launch(standardize_gradient_kernel, blocks_for(count, kThreads), kThreads, 0, stream, px, pdy, statistics.as<float>(),
         slope, dx.as<float>(), count);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
