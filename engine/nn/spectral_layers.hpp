#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/module.hpp"

#include <cstdint>

namespace ascore {

/// Layers of BigGAN (Brock et al. 2018, arXiv:1809.11096), whose weights are divided by their largest singular value
/// in every forward. Beside weight (Xavier uniform) and bias (PyTorch's default) they keep buffers u0 [1,out] ~ N(0,1),
/// the start vector of the power iteration, and sv0 [1], the last singular value; both advance in training mode.
class SpectralConv2d : public Module {
 public:
  SpectralConv2d(int64_t in, int64_t out, int kernel, bool bias = true);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;
  /// gain times forward(x) without bias; `gain` a scalar []: the weights are multiplied, which are fewer than the
  /// outputs.
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& gain) const;

 private:
  Parameter *weight_, *bias_ = nullptr, *u_, *sv_;
};

class SpectralLinear : public Module {
 public:
  SpectralLinear(int64_t in, int64_t out);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Parameter *weight_, *bias_, *u_, *sv_;
};

}  // namespace ascore
