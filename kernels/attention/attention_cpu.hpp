#pragma once

#include "kernels/attention/attention_sizes.hpp"
#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// The cpu side of attention. Arguments are as attention.hpp has them, and checked.
namespace ascore::kernels::cpu {

void attention(Stream& stream, const AttentionSizes& sizes, const AttentionRows& q, const AttentionRows& k,
               const AttentionRows& v, double scale, MathMode math, View y, View lse);
void attention_backward(Stream& stream, const AttentionSizes& sizes, const AttentionRows& q, const AttentionRows& k,
                        const AttentionRows& v, double scale, ConstView y, ConstView lse, ConstView dy, MathMode math,
                        const AttentionGradient& dq, const AttentionGradient& dk, const AttentionGradient& dv,
                        View workspace);

}  // namespace ascore::kernels::cpu
