#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// Mean over the batch of the cross-entropy of softmax(logits) and the true classes: logits [N,K] f32/f64, labels [N]
/// i32; a scalar []. `per_sample` and `hits` [N] of the logits' dtype, if present, receive each sample's loss, and 1
/// where its true class is the likeliest, else 0. Differentiable in logits.
Tensor cross_entropy(Ctx& ctx, const Tensor& logits, const Tensor& labels, Tensor per_sample = {}, Tensor hits = {});

}  // namespace ascore
