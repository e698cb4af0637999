#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// softmax(scale q k^T) v of every image, differentiable in all three: q [N,M,D], k [N,P,D], v [N,P,E] -> [N,M,E], of
/// one dtype. No M x P matrix is kept: backward computes the weights again.
Tensor attention(Ctx& ctx, const Tensor& q, const Tensor& k, const Tensor& v, double scale);

}  // namespace ascore
