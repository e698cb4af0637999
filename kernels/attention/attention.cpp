#include "kernels/attention/attention.hpp"

#include "kernels/attention/attention_cpu.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(cpu::attention) attention;
decltype(cpu::attention_backward) attention_backward;
}  // namespace simt
namespace cuda {
decltype(cpu::attention) attention;
decltype(cpu::attention_backward) attention_backward;
}  // namespace cuda

namespace {

/// Checks what whole tensors and parts of one have in common.
void check_sizes(const OpScope& op, const AttentionSizes& s, int64_t pitch, ConstView y, ConstView lse) {
  op.require(y.shape() == Shape{s.images, s.queries, s.value_width}, "y must be [N,M,E]");
  op.require(!lse || lse.shape() == Shape{s.images, s.queries}, "lse must be [N,M]");
  op.require(s.queries > 0 && s.keys > 0 && s.key_width > 0 && s.value_width > 0, "only the batch may be empty");
  const int64_t rows = std::max(s.queries, s.keys);
  op.require(rows < 1 << 30 && pitch < 1 << 30 && rows * pitch < 1 << 30, "more than 2^30 elements in an image");
  op.require_dtype(!lse || lse.dtype() == accumulator(y.dtype()), "lse must be f32 (f64 with f64)");
}

int narrow(int64_t size) {
  return static_cast<int>(size);
}

AttentionSizes check(const OpScope& op, ConstView q, ConstView k, ConstView v, ConstView y, ConstView lse) {
  op.require(q.rank() == 3 && k.rank() == 3 && v.rank() == 3, "q, k and v must be [N,M,D], [N,P,D] and [N,P,E]");
  op.require(q.dim(2) == k.dim(2), "q [N,M,D] and k [N,P,D] must have one D");
  op.require(k.dim(0) == q.dim(0) && v.dim(0) == q.dim(0) && v.dim(1) == k.dim(1),
             "k [N,P,D] and v [N,P,E] must have the N of q, and one P");
  op.require_dtype(k.dtype() == q.dtype() && v.dtype() == q.dtype() && y.dtype() == q.dtype(),
                   "q, k, v and y must have one dtype");
  const AttentionSizes sizes{q.dim(0), narrow(q.dim(1)), narrow(k.dim(1)), narrow(q.dim(2)), narrow(v.dim(2))};
  check_sizes(op, sizes, std::max(q.dim(2), v.dim(2)), y, lse);
  return sizes;
}

AttentionSizes check(const OpScope& op, ConstView qkv, ConstView y, ConstView lse) {
  op.require(qkv.rank() == 3 && qkv.dim(2) % 3 == 0, "qkv must be [N,M,3D]");
  op.require_dtype(y.dtype() == qkv.dtype(), "qkv and y must have one dtype");
  const int width = narrow(qkv.dim(2) / 3), rows = narrow(qkv.dim(1));
  const AttentionSizes sizes{qkv.dim(0), rows, rows, width, width};
  check_sizes(op, sizes, qkv.dim(2), y, lse);
  return sizes;
}

void check_backward(const OpScope& op, ConstView y, ConstView lse, ConstView dy, ConstView workspace) {
  op.require(lse.present(), "lse must be present");
  op.require(dy.shape() == y.shape(), "dy must be like y");
  op.require_dtype(dy.dtype() == y.dtype(), "dy must be like y");
  op.require(workspace.bytes() >= attention_backward_workspace_bytes(y.shape(), y.dtype()),
             "workspace is smaller than attention_backward_workspace_bytes");
}

/// A gradient is absent, or like what it is the gradient of.
bool is_like(ConstView gradient, ConstView x) {
  return !gradient || (gradient.shape() == x.shape() && gradient.dtype() == x.dtype());
}

}  // namespace

void attention(Stream& stream, ConstView q, ConstView k, ConstView v, double scale, View y, View lse, MathMode math) {
  const OpScope op(stream, "attention", {q, k, v, y, lse});
  const AttentionSizes sizes = check(op, q, k, v, y, lse);
  if (sizes.images == 0) return;
  pick<cpu::attention, simt::attention, cuda::attention, DryCpu::counts_memory>(stream)(
      stream, sizes, AttentionRows(q), AttentionRows(k), AttentionRows(v), scale, math, y, lse);
}

void attention_qkv(Stream& stream, ConstView qkv, double scale, View y, View lse, MathMode math) {
  const OpScope op(stream, "attention_qkv", {qkv, y, lse});
  const AttentionSizes sizes = check(op, qkv, y, lse);
  if (sizes.images == 0) return;
  pick<cpu::attention, simt::attention, cuda::attention, DryCpu::counts_memory>(stream)(
      stream, sizes, AttentionRows(qkv, 0), AttentionRows(qkv, 1), AttentionRows(qkv, 2), scale, math, y, lse);
}

void attention_backward(Stream& stream, ConstView q, ConstView k, ConstView v, double scale, ConstView y, ConstView lse,
                        ConstView dy, View dq, View dk, View dv, View workspace, MathMode math) {
  const OpScope op(stream, "attention_backward", {q, k, v, y, lse, dy, dq, dk, dv, workspace});
  const AttentionSizes sizes = check(op, q, k, v, y, lse);
  check_backward(op, y, lse, dy, workspace);
  op.require(is_like(dq, q) && is_like(dk, k) && is_like(dv, v), "dq, dk and dv must be like q, k and v");
  if (sizes.images == 0) return;
  pick<cpu::attention_backward, simt::attention_backward, cuda::attention_backward, DryCpu::counts_memory>(stream)(
      stream, sizes, AttentionRows(q), AttentionRows(k), AttentionRows(v), scale, y, lse, dy, math,
      AttentionGradient(dq), AttentionGradient(dk), AttentionGradient(dv), workspace);
}

void attention_qkv_backward(Stream& stream, ConstView qkv, double scale, ConstView y, ConstView lse, ConstView dy,
                            View dqkv, View workspace, MathMode math) {
  const OpScope op(stream, "attention_qkv_backward", {qkv, y, lse, dy, dqkv, workspace});
  const AttentionSizes sizes = check(op, qkv, y, lse);
  check_backward(op, y, lse, dy, workspace);
  op.require(dqkv && is_like(dqkv, qkv), "dqkv must be like qkv");
  if (sizes.images == 0) return;
  pick<cpu::attention_backward, simt::attention_backward, cuda::attention_backward, DryCpu::counts_memory>(stream)(
      stream, sizes, AttentionRows(qkv, 0), AttentionRows(qkv, 1), AttentionRows(qkv, 2), scale, y, lse, dy, math,
      AttentionGradient(dqkv, 0), AttentionGradient(dqkv, 1), AttentionGradient(dqkv, 2), workspace);
}

size_t attention_backward_workspace_bytes(const Shape& q, DType dtype) {
  return static_cast<size_t>(q[0] * q[1]) * size_of(accumulator(dtype));
}

}  // namespace ascore::kernels
