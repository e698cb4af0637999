#include "kernels/score_loss/score_loss.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/score_loss/score_loss_terms.hpp"

#include <fmt/format.h>

namespace ascore::kernels {

namespace simt {
decltype(kernels::score_loss) score_loss;
decltype(kernels::score_loss_backward) score_loss_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::score_loss) score_loss;
decltype(kernels::score_loss_backward) score_loss_backward;
}  // namespace cuda

namespace cpu {

template <class T>
void score_loss_of(Stream& stream, DsmLoss kind, ConstView s, ConstView target, View per_sample, View mean) {
  const int64_t samples = s.dim(0), size = score_loss_sample_size(s.shape());
  const T* const ps = s.as<T>();
  const T* const pt = target.as<T>();
  T* const sums = per_sample.as<T>();
  parallel_for(stream, samples, 2, [&](int64_t n) {
    double sum = 0;
    for (int64_t i = n * size; i < (n + 1) * size; ++i) {
      sum += score_loss_term(kind, static_cast<double>(ps[i]) - static_cast<double>(pt[i]));
    }
    sums[n] = static_cast<T>(sum);
  });
  double total = 0;
  for (int64_t n = 0; n < samples; ++n) total += static_cast<double>(sums[n]);
  *mean.as<T>() = static_cast<T>(total / static_cast<double>(samples));
}

void score_loss(Stream& stream, DsmLoss kind, ConstView s, ConstView target, View per_sample, View mean, View) {
  s.dtype() == DType::f64 ? score_loss_of<double>(stream, kind, s, target, per_sample, mean)
                          : score_loss_of<float>(stream, kind, s, target, per_sample, mean);
}

template <class T>
void score_loss_backward_of(Stream& stream, DsmLoss kind, ConstView s, ConstView target, ConstView grad_mean,
                            View grad_s) {
  const T* const ps = s.as<T>();
  const T* const pt = target.as<T>();
  T* const pg = grad_s.as<T>();
  const T factor = *grad_mean.as<T>() / static_cast<T>(s.dim(0));
  parallel_chunks(stream, s.count(), 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) pg[i] = factor * score_loss_slope(kind, ps[i] - pt[i]);
  });
}

void score_loss_backward(Stream& stream, DsmLoss kind, ConstView s, ConstView target, ConstView grad_mean,
                         View grad_s) {
  s.dtype() == DType::f64 ? score_loss_backward_of<double>(stream, kind, s, target, grad_mean, grad_s)
                          : score_loss_backward_of<float>(stream, kind, s, target, grad_mean, grad_s);
}

}  // namespace cpu

namespace {

void check_inputs(const OpScope& op, DsmLoss kind, ConstView s, ConstView target) {
  if (kind != DsmLoss::l2 && kind != DsmLoss::l1) {
    throw ConfigError(fmt::format("{}: takes l2 and l1 only", op.name()));
  }
  op.require(s.rank() >= 1 && s.dim(0) >= 1, "s must be [N,...] with at least one sample");
  op.require(target.present() && target.shape() == s.shape(), "s and target must have one shape");
  op.require_dtype(s.dtype() == DType::f32 || s.dtype() == DType::f64, "s must be f32, or f64 on the cpu");
  op.require_dtype(target.dtype() == s.dtype(), "s and target must have one dtype");
}

}  // namespace

size_t score_loss_workspace_bytes(const Shape& shape) {
  const int64_t chunks = score_loss_chunks(shape);
  return chunks > 1 ? static_cast<size_t>(shape.dim(0) * chunks) * sizeof(float) : 0;
}

void score_loss(Stream& stream, DsmLoss kind, ConstView s, ConstView target, View per_sample, View mean,
                View workspace) {
  const OpScope op(stream, "score_loss", {s, target, per_sample, mean, workspace});
  check_inputs(op, kind, s, target);
  op.require(per_sample.count() == s.dim(0) && mean.count() == 1, "per_sample must be [N] and mean one element");
  op.require_dtype(per_sample.dtype() == s.dtype() && mean.dtype() == s.dtype(), "results must have the dtype of s");
  op.require(stream.device() == Device::cpu || workspace.bytes() >= score_loss_workspace_bytes(s.shape()),
             "workspace is too small");
  pick<cpu::score_loss, simt::score_loss, cuda::score_loss>(stream)(stream, kind, s, target, per_sample, mean,
                                                                    workspace);
}

void score_loss_backward(Stream& stream, DsmLoss kind, ConstView s, ConstView target, ConstView grad_mean,
                         View grad_s) {
  const OpScope op(stream, "score_loss_backward", {s, target, grad_mean, grad_s});
  check_inputs(op, kind, s, target);
  op.require(grad_s.shape() == s.shape() && grad_mean.count() == 1, "grad_s must be as s and grad_mean one element");
  op.require_dtype(grad_s.dtype() == s.dtype() && grad_mean.dtype() == s.dtype(), "gradients must have the dtype of s");
  pick<cpu::score_loss_backward, simt::score_loss_backward, cuda::score_loss_backward>(stream)(stream, kind, s, target,
                                                                                               grad_mean, grad_s);
}

}  // namespace ascore::kernels
