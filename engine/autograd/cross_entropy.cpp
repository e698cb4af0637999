#include "engine/autograd/cross_entropy.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"

namespace ascore {

Tensor cross_entropy(Ctx& ctx, const Tensor& logits, const Tensor& labels, Tensor per_sample, Tensor hits) {
  if (!per_sample) per_sample = ctx.empty(Shape{logits.dim(0)}, logits.dtype());
  Tensor mean = ctx.empty(Shape{}, logits.dtype());
  kernels::cross_entropy(ctx.stream, logits, labels, per_sample, hits, mean);
  if (ctx.tape) {
    ctx.tape->record("cross_entropy", {logits}, mean, [logits, labels](Backward& backward) {
      kernels::cross_entropy_backward(backward.stream, logits, labels, backward.grad_out(), backward.grad_in(0));
    });
  }
  return mean;
}

}  // namespace ascore
