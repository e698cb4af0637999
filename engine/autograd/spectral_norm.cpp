#include "kernels/spectral_norm/spectral_norm.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

namespace ascore {

Tensor spectral_normalize(Ctx& ctx, const Tensor& weight, SpectralNorm& state) {
  const int64_t outputs = weight.dim(0), rest = outputs ? weight.count() / outputs : 0;
  Tensor y = ctx.empty_like(weight), u = ctx.empty_like(state.u), v = ctx.empty({rest}, weight.dtype());
  Tensor sigma = ctx.empty({1}, weight.dtype());
  kernels::spectral_norm(ctx.stream, weight, state.u, y, u, v, sigma);
  if (ctx.training) {
    kernels::scaled_add(ctx.stream, 1.0, u, 0.0, {}, state.u.view());
    if (state.sv) kernels::scaled_add(ctx.stream, 1.0, sigma, 0.0, {}, state.sv.view());
  }
  if (ctx.tape) {
    ctx.tape->record("spectral_normalize", {weight}, y, [weight, u, v, sigma](Backward& backward) {
      const View scratch =
          backward.workspace(kernels::spectral_norm_backward_workspace_bytes(weight.shape(), weight.dtype()));
      kernels::spectral_norm_backward(backward.stream, weight, u, v, sigma, backward.grad_out(), backward.grad_in(0),
                                      scratch);
    });
  }
  return y;
}

}  // namespace ascore
