#include "kernels/spectral_norm/spectral_norm.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

#include <functional>
#include <vector>

namespace ascore {

namespace {
void record(Ctx& ctx, const Tensor& weight, const Tensor& y, const Tensor& u, const Tensor& v, const Tensor& sigma) {
  if (!ctx.tape) return;
  ctx.tape->record("spectral_normalize", {weight}, y, [weight, u, v, sigma](Backward& backward) {
    const View scratch = backward.workspace(kernels::spectral_norm_workspace_bytes(weight.shape(), weight.dtype()));
    kernels::spectral_norm_backward(backward.stream, weight, u, v, sigma, backward.grad_out(), backward.grad_in(0),
                                    scratch);
  });
}

/// The normalised weight and what its gradient needs; `iterate` makes them. Where blocks run again they are kept: they
/// are as few as the weights, and the vectors have moved on.
Tensor recorded(Ctx& ctx, const Tensor& weight, const std::function<std::vector<Tensor>()>& iterate) {
  const std::vector<Tensor> made = ctx.tape ? ctx.tape->once(iterate) : iterate();
  record(ctx, weight, made[0], made[1], made[2], made[3]);
  return made[0];
}

std::vector<Tensor> iterated(Ctx& ctx, const Tensor& weight, SpectralNorm& state) {
  const int64_t outputs = weight.dim(0), rest = outputs ? weight.count() / outputs : 0;
  Tensor y = ctx.empty_like(weight), u = ctx.empty_like(state.u), v = ctx.empty({rest}, weight.dtype());
  Tensor sigma = ctx.empty({1}, weight.dtype());
  kernels::spectral_norm(ctx.stream, weight, state.u, y, u, v, sigma);
  if (ctx.training) {
    kernels::scaled_add(ctx.stream, 1.0, u, 0.0, {}, state.u.view());
    if (state.sv) kernels::scaled_add(ctx.stream, 1.0, sigma, 0.0, {}, state.sv.view());
  }
  return {y, u, v, sigma};
}

std::vector<Tensor> iterated(Ctx& ctx, const Tensor& weight, SpectralVectors& state) {
  Tensor y = ctx.empty_like(weight), sigma = ctx.empty({1}, weight.dtype()), u = state.u, v = state.v;
  if (ctx.training) {
    // The gradient needs the vectors of this forward, and the next one moves those of `state`.
    u = ctx.empty_like(state.u);
    v = ctx.empty_like(state.v);
    kernels::spectral_norm(ctx.stream, weight, state.u, y, u, v, sigma);
    kernels::scaled_add(ctx.stream, 1.0, u, 0.0, {}, state.u.view());
    kernels::scaled_add(ctx.stream, 1.0, v, 0.0, {}, state.v.view());
  } else {
    const auto bytes = static_cast<int64_t>(kernels::spectral_norm_workspace_bytes(weight.shape(), weight.dtype()));
    Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
    kernels::spectral_norm_held(ctx.stream, weight, u, v, y, sigma, workspace);
  }
  return {y, u, v, sigma};
}
}  // namespace

Tensor spectral_normalize(Ctx& ctx, const Tensor& weight, SpectralNorm& state) {
  return recorded(ctx, weight, [&] { return iterated(ctx, weight, state); });
}

Tensor spectral_normalize(Ctx& ctx, const Tensor& weight, SpectralVectors& state) {
  return recorded(ctx, weight, [&] { return iterated(ctx, weight, state); });
}

}  // namespace ascore
