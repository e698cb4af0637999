#include "kernels/core/kernel.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 128, kWarps = kThreads / kWarpSize, kMeanThreads = 256;

/// The sample that this thread's warp looks at, and the thread's first class.
struct Place {
  __device__ Place() : sample(int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarpSize), lane(threadIdx.x % kWarpSize) {}
  int64_t sample;
  int lane;
};

/// A row's greatest value, and the sum of exp(x - greatest), the same in every lane of the warp.
struct RowSoftmax {
  float greatest, sum;
};
__device__ __forceinline__ RowSoftmax softmax_of(const float* row, int64_t classes, int lane) {
  float greatest = row[0];
  for (int64_t k = lane; k < classes; k += kWarpSize) greatest = row[k] > greatest ? row[k] : greatest;
  greatest = warp_reduce(greatest, [](float a, float b) { return a > b ? a : b; });
  float sum = 0;
  for (int64_t k = lane; k < classes; k += kWarpSize) sum += expf(row[k] - greatest);
  return {greatest, warp_reduce(sum, [](float a, float b) { return a + b; })};
}

/// A warp per sample.
__global__ void cross_entropy_kernel(const float* x, const int32_t* labels, float* per_sample, float* hits,
                                     int64_t samples, int64_t classes) {
  const Place place;
  if (place.sample >= samples) return;
  const float* row = x + place.sample * classes;
  const int64_t label = labels[place.sample];
  const bool known = label >= 0 && label < classes;
  const RowSoftmax softmax = softmax_of(row, classes, place.lane);
  const float truth = known ? row[label] : row[0];
  int rivals = 0;  // classes that are chosen before the true one; all of them where something is not a number
  for (int64_t k = place.lane; k < classes; k += kWarpSize) {
    rivals += k < label ? !(row[k] < truth) : !(row[k] <= truth);
  }
  rivals = warp_reduce(rivals, [](int a, int b) { return a + b; });
  if (place.lane != 0) return;
  per_sample[place.sample] = known ? (softmax.greatest - truth) + logf(softmax.sum) : nanf("");
  if (hits) hits[place.sample] = known && rivals == 0 ? 1.0f : 0.0f;
}

/// One block: the mean of all values.
__global__ void mean_kernel(const float* values, float* mean, int64_t count) {
  float* scratch = shared_array<float, kMeanThreads / kWarpSize>();
  float sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kMeanThreads) sum += values[i];
  sum = block_sum<kMeanThreads>(sum, scratch);
  if (threadIdx.x == 0) *mean = sum / float(count);
}

__global__ void cross_entropy_backward_kernel(const float* x, const int32_t* labels, const float* grad_mean,
                                              float* grad_x, int64_t samples, int64_t classes) {
  const Place place;
  if (place.sample >= samples) return;
  const float* row = x + place.sample * classes;
  const RowSoftmax softmax = softmax_of(row, classes, place.lane);
  const float factor = *grad_mean / float(samples);
  for (int64_t k = place.lane; k < classes; k += kWarpSize) {
    const float share = expf(row[k] - softmax.greatest) / softmax.sum;
    grad_x[place.sample * classes + k] = factor * (share - (k == labels[place.sample] ? 1.0f : 0.0f));
  }
}

unsigned blocks_for_rows(int64_t samples) {
  return unsigned((samples + kWarps - 1) / kWarps);
}

}  // namespace

void cross_entropy(Stream& stream, ConstView x, ConstView labels, View per_sample, View hits, View mean) {
  launch(cross_entropy_kernel, blocks_for_rows(x.dim(0)), kThreads, 0, stream, x.as<float>(), labels.as<int32_t>(),
         per_sample.as<float>(), hits.present() ? hits.as<float>() : nullptr, x.dim(0), x.dim(1));
  launch(mean_kernel, 1, kMeanThreads, 0, stream, per_sample.as<float>(), mean.as<float>(), x.dim(0));
}

void cross_entropy_backward(Stream& stream, ConstView x, ConstView labels, ConstView grad_mean, View grad_x) {
  launch(cross_entropy_backward_kernel, blocks_for_rows(x.dim(0)), kThreads, 0, stream, x.as<float>(),
         labels.as<int32_t>(), grad_mean.as<float>(), grad_x.as<float>(), x.dim(0), x.dim(1));
}

}  // namespace ascore::kernels::ASCORE_BACKEND
