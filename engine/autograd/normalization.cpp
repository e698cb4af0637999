#include "engine/autograd/normalization.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/autograd/remake.hpp"
#include "kernels/instance_norm_plus/instance_norm_plus.hpp"

namespace ascore {

namespace {
/// f of the normalised x, and what backward needs of the statistics.
struct Normalised {
  Tensor y, mean, rstd, channels;
};
Normalised normalise(Ctx& ctx, const Measured& measured, const Tensor& gamma, const Tensor& alpha, const Tensor& beta,
                     Activation activation, double slope) {
  const Tensor& x = measured.images;
  const DType wide = accumulator(x.dtype());
  const Shape channels{x.dim(0), x.dim(-1)};
  Normalised made{ctx.empty_like(x), ctx.empty(channels, wide), ctx.empty(channels, wide),
                  ctx.empty({x.dim(0), 2}, wide)};
  kernels::instance_norm_plus(ctx.stream, x, gamma, alpha, beta, made.y, made.mean, made.rstd, made.channels,
                              activation, slope, measured.runs);
  return made;
}
}  // namespace

Activated instance_norm_plus(Ctx& ctx, const Measured& measured, const Tensor& gamma, const Tensor& alpha,
                             const Tensor& beta, Activation activation, double slope) {
  if (ctx.tape && kernels::backward_needs_input(activation)) {
    return activated(ctx, instance_norm_plus(ctx, measured, gamma, alpha, beta, Activation::identity).value, activation,
                     slope);
  }
  const Tensor& x = measured.images;
  const auto [y, mean, rstd, channels] = normalise(ctx, measured, gamma, alpha, beta, activation, slope);
  const bool activates = activation != Activation::identity;
  const Activated result(activates ? y.alias(y.shape()) : y, y, activation, slope);
  if (ctx.tape) {
    remake_if_asked(ctx, y, [=, mean = mean, rstd = rstd, channels = channels](Ctx& c) {
      Tensor again = c.empty_like(x);
      kernels::instance_norm_plus_again(c.stream, x, gamma, alpha, beta, mean, rstd, channels, again, activation,
                                        slope);
      return again;
    });
    ctx.tape->record(
        "instance_norm_plus", {x, gamma, alpha, beta}, result.raw,
        [x, gamma, alpha, mean = mean, rstd = rstd, channels = channels](Backward& backward) {
          const View scratch =
              backward.workspace(kernels::instance_norm_plus_backward_workspace_bytes(x.shape(), x.dtype()));
          const Tensor others = backward.take_gradient(0);
          kernels::instance_norm_plus_backward(backward.stream, x, gamma, alpha, mean, rstd, channels,
                                               backward.grad_out(), backward.grad_in(0), backward.grad_in(1),
                                               backward.grad_in(2), backward.grad_in(3), scratch, others);
        });
    if (activates) record_activation(ctx, result);
  }
  return result;
}

Tensor instance_norm_plus(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& alpha, const Tensor& beta) {
  return instance_norm_plus(ctx, x, gamma, alpha, beta, Activation::identity).value;
}

}  // namespace ascore
