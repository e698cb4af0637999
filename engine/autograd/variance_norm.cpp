#include "kernels/variance_norm/variance_norm.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/remake.hpp"
#include "kernels/channel_norm/channel_norm.hpp"

namespace ascore {

namespace {
/// The normalised x, and what backward needs of the statistics.
struct Normalised {
  Tensor y, mean, rstd;
};
Normalised normalise(Ctx& ctx, const Measured& measured, const Tensor& alpha) {
  const Tensor& x = measured.images;
  const DType wide = accumulator(x.dtype());
  const Shape channels{x.dim(0), x.dim(-1)};
  Normalised made{ctx.empty_like(x), ctx.empty(channels, wide), ctx.empty(channels, wide)};
  const auto bytes = static_cast<int64_t>(kernels::variance_norm_workspace_bytes(x.shape(), x.dtype()));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  kernels::variance_norm(ctx.stream, x, alpha, made.y, made.mean, made.rstd, workspace, measured.runs);
  return made;
}
}  // namespace

Tensor variance_norm(Ctx& ctx, const Measured& measured, const Tensor& alpha) {
  const Tensor& x = measured.images;
  const auto [y, mean, rstd] = normalise(ctx, measured, alpha);
  if (ctx.tape) {
    remake_if_asked(ctx, y, [=, rstd = rstd](Ctx& c) {
      Tensor again = c.empty_like(x);
      kernels::channel_norm(c.stream, x, {}, rstd, alpha, {}, Activation::identity, again);
      return again;
    });
    ctx.tape->record("variance_norm", {x, alpha}, y, [x, alpha, mean = mean, rstd = rstd](Backward& backward) {
      const View scratch = backward.workspace(kernels::variance_norm_backward_workspace_bytes(x.shape(), x.dtype()));
      kernels::variance_norm_backward(backward.stream, x, alpha, mean, rstd, backward.grad_out(), backward.grad_in(0),
                                      backward.grad_in(1), scratch);
    });
  }
  return y;
}

}  // namespace ascore
