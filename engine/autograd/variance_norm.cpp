#include "kernels/variance_norm/variance_norm.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/tape.hpp"

namespace ascore {

Tensor variance_norm(Ctx& ctx, const Tensor& x, const Tensor& alpha) {
  const DType wide = accumulator(x.dtype());
  const Shape channels{x.dim(0), x.dim(-1)};
  Tensor y = ctx.empty_like(x), mean = ctx.empty(channels, wide), rstd = ctx.empty(channels, wide);
  const auto bytes = static_cast<int64_t>(kernels::variance_norm_workspace_bytes(x.shape(), x.dtype()));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  kernels::variance_norm(ctx.stream, x, alpha, y, mean, rstd, workspace);
  if (ctx.tape) {
    ctx.tape->record("variance_norm", {x, alpha}, y, [x, alpha, mean, rstd](Backward& backward) {
      const View scratch = backward.workspace(kernels::variance_norm_backward_workspace_bytes(x.shape(), x.dtype()));
      kernels::variance_norm_backward(backward.stream, x, alpha, mean, rstd, backward.grad_out(), backward.grad_in(0),
                                      backward.grad_in(1), scratch);
    });
  }
  return y;
}

}  // namespace ascore
