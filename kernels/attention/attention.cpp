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

AttentionSizes check(const OpScope& op, ConstView q, ConstView k, ConstView v, ConstView y, ConstView lse) {
  op.require(q.rank() == 3 && k.rank() == 3 && v.rank() == 3, "q, k and v must be [N,M,D], [N,P,D] and [N,P,E]");
  op.require(q.dim(2) == k.dim(2), "q [N,M,D] and k [N,P,D] must have one D");
  op.require(k.dim(0) == q.dim(0) && v.dim(0) == q.dim(0) && v.dim(1) == k.dim(1),
             "k [N,P,D] and v [N,P,E] must have the N of q, and one P");
  op.require(y.shape() == Shape{q.dim(0), q.dim(1), v.dim(2)}, "y must be [N,M,E]");
  op.require(!lse || lse.shape() == Shape{q.dim(0), q.dim(1)}, "lse must be [N,M]");
  op.require(q.dim(1) > 0 && k.dim(1) > 0 && q.dim(2) > 0 && v.dim(2) > 0, "only the batch may be empty");
  const int64_t rows = std::max(q.dim(1), k.dim(1)), width = std::max(q.dim(2), v.dim(2));
  op.require(rows < 1 << 30 && width < 1 << 30 && rows * width < 1 << 30, "more than 2^30 elements in an image");
  op.require_dtype(k.dtype() == q.dtype() && v.dtype() == q.dtype() && y.dtype() == q.dtype(),
                   "q, k, v and y must have one dtype");
  op.require_dtype(!lse || lse.dtype() == accumulator(q.dtype()), "lse must be f32 (f64 with f64)");
  const auto narrow = [](int64_t size) { return static_cast<int>(size); };
  return {q.dim(0), narrow(q.dim(1)), narrow(k.dim(1)), narrow(q.dim(2)), narrow(v.dim(2))};
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
  pick<cpu::attention, simt::attention, cuda::attention>(stream)(stream, sizes, q, k, v, scale, math, y, lse);
}

void attention_backward(Stream& stream, ConstView q, ConstView k, ConstView v, double scale, ConstView y, ConstView lse,
                        ConstView dy, View dq, View dk, View dv, View workspace, MathMode math) {
  const OpScope op(stream, "attention_backward", {q, k, v, y, lse, dy, dq, dk, dv, workspace});
  const AttentionSizes sizes = check(op, q, k, v, y, lse);
  op.require(lse.present(), "lse must be present");
  op.require(dy.shape() == y.shape(), "dy must be like y");
  op.require_dtype(dy.dtype() == y.dtype(), "dy must be like y");
  op.require(is_like(dq, q) && is_like(dk, k) && is_like(dv, v), "dq, dk and dv must be like q, k and v");
  op.require(workspace.bytes() >= attention_backward_workspace_bytes(q.shape(), q.dtype()),
             "workspace is smaller than attention_backward_workspace_bytes");
  if (sizes.images == 0) return;
  pick<cpu::attention_backward, simt::attention_backward, cuda::attention_backward>(stream)(
      stream, sizes, q, k, v, scale, y, lse, dy, math, dq, dk, dv, workspace);
}

size_t attention_backward_workspace_bytes(const Shape& q, DType dtype) {
  return static_cast<size_t>(q[0] * q[1]) * size_of(accumulator(dtype));
}

}  // namespace ascore::kernels
