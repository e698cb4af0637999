#include "kernels/standardize/standardize.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/tape.hpp"

namespace ascore {

Tensor standardize(Ctx& ctx, const Tensor& x) {
  const size_t bytes = kernels::standardize_workspace_bytes(x.shape());
  Tensor y = ctx.empty_like(x), statistics = ctx.empty({2}, x.dtype());
  Tensor workspace = ctx.empty({static_cast<int64_t>(bytes)}, DType::u8, MemoryKind::workspace);
  kernels::standardize(ctx.stream, x, y, statistics, workspace);
  if (ctx.tape) {
    ctx.tape->record("standardize", {x}, y, [x, statistics, bytes](Backward& backward) {
      const View scratch = backward.workspace(bytes);
      kernels::standardize_backward(backward.stream, x, statistics, backward.grad_out(), backward.grad_in(0), scratch);
    });
  }
  return y;
}

}  // namespace ascore
