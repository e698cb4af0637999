#include "kernels/core/kernel.hpp"
#include "kernels/gan_loss/gan_loss.hpp"
#include "kernels/gan_loss/gan_terms.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 128;

/// The batch mean of value(i), the same in every thread of the block.
template <class Value>
__device__ __forceinline__ float block_mean(int64_t count, float* scratch, Value value) {
  float sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += value(i);
  return block_sum<kThreads>(sum, scratch) / float(count);
}

__global__ void gan_loss_kernel(GanTerms terms, const float* real, const float* fake, float* loss, int64_t count) {
  float* scratch = shared_array<float, kThreads / kWarpSize>();
  const bool means = terms.rival == GanRival::mean;
  const float real_mean = means ? block_mean(count, scratch, [&](int64_t i) { return real[i]; }) : 0.0f;
  const float fake_mean = means ? block_mean(count, scratch, [&](int64_t i) { return fake[i]; }) : 0.0f;
  const float result = block_mean(count, scratch, [&](int64_t i) {
    return GanPair<float>(terms, real[i], fake[i], real_mean, fake_mean).loss(terms);
  });
  if (threadIdx.x == 0) *loss = result;
}

__global__ void gan_loss_backward_kernel(GanTerms terms, const float* real, const float* fake, const float* grad_loss,
                                         float* grad_real, float* grad_fake, int64_t count) {
  float* scratch = shared_array<float, kThreads / kWarpSize>();
  const bool means = terms.rival == GanRival::mean;
  const float real_mean = means ? block_mean(count, scratch, [&](int64_t i) { return real[i]; }) : 0.0f;
  const float fake_mean = means ? block_mean(count, scratch, [&](int64_t i) { return fake[i]; }) : 0.0f;
  const auto pair = [&](int64_t i) { return GanPair<float>(terms, real[i], fake[i], real_mean, fake_mean); };
  const float du_mean = means ? block_mean(count, scratch, [&](int64_t i) { return pair(i).du(terms); }) : 0.0f;
  const float dv_mean = means ? block_mean(count, scratch, [&](int64_t i) { return pair(i).dv(terms); }) : 0.0f;
  const float factor = *grad_loss / float(count);
  for (int64_t i = threadIdx.x; i < count; i += kThreads) {
    const float du = pair(i).du(terms), dv = pair(i).dv(terms);
    if (grad_real) grad_real[i] = factor * (du - gan_rival_part(terms.rival, dv, dv_mean));
    if (grad_fake) grad_fake[i] = factor * (dv - gan_rival_part(terms.rival, du, du_mean));
  }
}

}  // namespace

void gan_loss(Stream& stream, const GanTerms& terms, ConstView real, ConstView fake, View loss) {
  launch(gan_loss_kernel, 1, kThreads, 0, stream, terms, real.as<float>(), fake.as<float>(), loss.as<float>(),
         real.count());
}

void gan_loss_backward(Stream& stream, const GanTerms& terms, ConstView real, ConstView fake, ConstView grad_loss,
                       View grad_real, View grad_fake) {
  launch(gan_loss_backward_kernel, 1, kThreads, 0, stream, terms, real.as<float>(), fake.as<float>(),
         grad_loss.as<float>(), grad_real.as<float>(), grad_fake.as<float>(), real.count());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
