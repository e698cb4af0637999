#include "engine/autograd/ms_ssim.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/core/error.hpp"
#include "kernels/ms_ssim/ms_ssim.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor ms_ssim(Ctx& ctx, const Tensor& x, const Tensor& y) {
  const Shape& shape = x.shape();
  if (shape.rank() != 4 || shape[1] <= kernels::kMsSsimSide || shape[2] <= kernels::kMsSsimSide) {
    throw ShapeError(fmt::format("ms_ssim: needs images [N,H,W,C] of sides above {}; given {}", kernels::kMsSsimSide,
                                 to_string(shape)));
  }
  Tensor similarity = ctx.empty({}, x.dtype()), slopes = ctx.empty({5, shape[0], shape[3]}, x.dtype());
  Tensor pyramid = ctx.empty({kernels::ms_ssim_pyramid_elements(shape)}, x.dtype());
  const auto bytes = static_cast<int64_t>(kernels::ms_ssim_workspace_bytes(shape, x.dtype()));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  kernels::ms_ssim(ctx.stream, x, y, similarity, slopes, pyramid, workspace);
  if (ctx.tape) {
    ctx.tape->record("ms_ssim", {x}, similarity, [x, y, slopes, pyramid](Backward& backward) {
      const View scratch = backward.workspace(kernels::ms_ssim_backward_workspace_bytes(x.shape(), x.dtype()));
      kernels::ms_ssim_backward(backward.stream, x, y, slopes, pyramid, backward.grad_out(), backward.grad_in(0),
                                scratch);
    });
  }
  return similarity;
}

}  // namespace ascore
