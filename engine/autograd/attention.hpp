#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// softmax(scale q k^T) v of every image, differentiable in all three: q [N,M,D], k [N,P,D], v [N,P,E] -> [N,M,E], of
/// one dtype. No M x P matrix is kept: backward computes the weights again.
Tensor attention(Ctx& ctx, const Tensor& q, const Tensor& k, const Tensor& v, double scale);
/// The same of queries, keys and values side by side, as one product makes them: qkv [N,M,3D] -> [N,M,D].
Tensor attention_qkv(Ctx& ctx, const Tensor& qkv, double scale);

}  // namespace ascore
