#include "engine/autograd/attention.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor attention(Ctx& ctx, const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  if (q.rank() != 3 || v.rank() != 3) {
    throw ShapeError(
        fmt::format("attention: q {} must be [N,M,D] and v {} [N,P,E]", to_string(q.shape()), to_string(v.shape())));
  }
  Tensor y = ctx.empty({q.dim(0), q.dim(1), v.dim(2)}, q.dtype()), lse;  // [N,M,E]
  if (ctx.tape && (ctx.tape->tracks(q) || ctx.tape->tracks(k) || ctx.tape->tracks(v))) {
    lse = ctx.empty({q.dim(0), q.dim(1)}, accumulator(q.dtype()));
  }
  kernels::attention(ctx.stream, q, k, v, scale, y, lse);
  if (ctx.tape) {
    ctx.tape->record("attention", {q, k, v}, y, [q, k, v, y, lse, scale](Backward& b) {
      const View scratch = b.workspace(kernels::attention_backward_workspace_bytes(q.shape(), q.dtype()));
      kernels::attention_backward(b.stream, q, k, v, scale, y, lse, b.grad_out(), b.grad_in(0), b.grad_in(1),
                                  b.grad_in(2), scratch);
    });
  }
  return y;
}

Tensor attention_qkv(Ctx& ctx, const Tensor& qkv, double scale) {
  if (qkv.rank() != 3 || qkv.dim(2) % 3 != 0) {
    throw ShapeError(fmt::format("attention_qkv: qkv {} must be [N,M,3D]", to_string(qkv.shape())));
  }
  Tensor y = ctx.empty({qkv.dim(0), qkv.dim(1), qkv.dim(2) / 3}, qkv.dtype()), lse;  // [N,M,D]
  if (ctx.tape && ctx.tape->tracks(qkv)) lse = ctx.empty({qkv.dim(0), qkv.dim(1)}, accumulator(qkv.dtype()));
  kernels::attention_qkv(ctx.stream, qkv, scale, y, lse);
  if (ctx.tape) {
    ctx.tape->record("attention_qkv", {qkv}, y, [qkv, y, lse, scale](Backward& b) {
      const View scratch = b.workspace(kernels::attention_backward_workspace_bytes(y.shape(), y.dtype()));
      kernels::attention_qkv_backward(b.stream, qkv, scale, y, lse, b.grad_out(), b.grad_in(0), scratch);
    });
  }
  return y;
}

}  // namespace ascore
