#include "kernels/group_norm/group_norm.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/remake.hpp"
#include "kernels/channel_norm/channel_norm.hpp"

namespace ascore {

namespace {
/// f of the normalised x, and what backward needs of the statistics.
struct Normalised {
  Tensor y, mean, rstd;
};
Normalised normalise(Ctx& ctx, const Measured& measured, const Tensor& gamma, const Tensor& beta, int64_t groups,
                     double eps, Activation activation) {
  const Tensor& x = measured.images;
  const DType wide = accumulator(x.dtype());
  const Shape group{x.dim(0), groups};
  Normalised made{ctx.empty_like(x), ctx.empty(group, wide), ctx.empty(group, wide)};
  const auto bytes = static_cast<int64_t>(kernels::group_norm_workspace_bytes(x.shape(), x.dtype()));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  kernels::group_norm(ctx.stream, x, gamma, beta, eps, activation, made.y, made.mean, made.rstd, workspace,
                      measured.runs);
  return made;
}
}  // namespace

Tensor group_norm(Ctx& ctx, const Measured& measured, const Tensor& gamma, const Tensor& beta, int64_t groups,
                  double eps, Activation activation) {
  const Tensor& x = measured.images;
  const auto [y, mean, rstd] = normalise(ctx, measured, gamma, beta, groups, eps, activation);
  if (ctx.tape) {
    remake_if_asked(ctx, y, [=, mean = mean, rstd = rstd](Ctx& c) {
      Tensor again = c.empty_like(x);
      kernels::channel_norm(c.stream, x, mean, rstd, gamma, beta, activation, again);
      return again;
    });
    ctx.tape->record("group_norm", {x, gamma, beta}, y, [=, mean = mean, rstd = rstd](Backward& backward) {
      const View scratch =
          backward.workspace(kernels::group_norm_backward_workspace_bytes(x.shape(), mean.dim(1), x.dtype()));
      const Tensor others = backward.take_gradient(0);
      kernels::group_norm_backward(backward.stream, x, gamma, beta, mean, rstd, activation, backward.grad_out(),
                                   backward.grad_in(0), backward.grad_in(1), backward.grad_in(2), scratch, others);
    });
  }
  return y;
}

Tensor instance_norm(Ctx& ctx, const Measured& x, double eps) {
  return group_norm(ctx, x, {}, {}, x.images.dim(-1), eps);
}

}  // namespace ascore
