#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/convolution.hpp"
#include "engine/nn/module.hpp"

#include <cstdint>

namespace ascore {

/// Layers under torch.nn.utils.spectral_norm: in every forward the weight is divided by its largest singular value, as
/// the vectors weight_u and weight_v estimate it. These start as random directions and advance in training mode.
/// Parameters weight_orig, bias; buffers weight_u [out], weight_v (one row of the weight). The layers of BigGAN, whose
/// convention differs, are in spectral_layers.hpp.
class TorchSpectralConv2d : public Convolution {
 public:
  TorchSpectralConv2d(int64_t in, int64_t out, int kernel, const Conv2dOptions& options = {}, bool bias = true,
                      const LayerInit& init = {});
  using Convolution::forward;
  Activated forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const override;

 private:
  Conv2dOptions options_;
  Parameter *weight_, *bias_ = nullptr, *u_, *v_;
};

class TorchSpectralLinear : public Module {
 public:
  TorchSpectralLinear(int64_t in, int64_t out, const LayerInit& init = {});
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Parameter *weight_, *bias_, *u_, *v_;
};

}  // namespace ascore
