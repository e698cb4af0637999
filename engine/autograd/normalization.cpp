#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/instance_norm_plus/instance_norm_plus.hpp"

namespace ascore {

Tensor instance_norm_plus(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& alpha, const Tensor& beta) {
  const DType wide = accumulator(x.dtype());
  Tensor y = ctx.empty_like(x);
  Tensor mean = ctx.empty({x.dim(0), x.dim(-1)}, wide), rstd = ctx.empty({x.dim(0), x.dim(-1)}, wide);
  Tensor channels = ctx.empty({x.dim(0), 2}, wide);
  kernels::instance_norm_plus(ctx.stream, x, gamma, alpha, beta, y, mean, rstd, channels);
  if (ctx.tape) {
    ctx.tape->record(
        "instance_norm_plus", {x, gamma, alpha, beta}, y, [x, gamma, alpha, mean, rstd, channels](Backward& backward) {
          const View scratch =
              backward.workspace(kernels::instance_norm_plus_backward_workspace_bytes(x.shape(), x.dtype()));
          kernels::instance_norm_plus_backward(backward.stream, x, gamma, alpha, mean, rstd, channels,
                                               backward.grad_out(), backward.grad_in(0), backward.grad_in(1),
                                               backward.grad_in(2), backward.grad_in(3), scratch);
        });
  }
  return y;
}

}  // namespace ascore
