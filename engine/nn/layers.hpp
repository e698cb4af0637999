#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/convolution.hpp"
#include "engine/nn/module.hpp"
#include "engine/nn/normalization.hpp"

#include <cstdint>

namespace ascore {

/// x in the type that a network computes in: ctx.compute, but f64 stays f64.
Tensor to_compute(Ctx& ctx, const Tensor& x);
/// x in `dtype`; x itself where it has it already.
Tensor to_dtype(Ctx& ctx, const Tensor& x, DType dtype);

/// A network's choice of activation function.
struct Nonlinearity {
  Activation kind = Activation::identity;
  double slope = 0.01;  ///< of leaky_relu
  Tensor operator()(Ctx& ctx, const Tensor& x) const { return activate(ctx, x, kind, slope); }
  /// A normalisation of x behind the activation.
  Activated of(Ctx& ctx, const Normalization& norm, const Measured& x) const {
    return norm.normalized(ctx, x, kind, slope);
  }
  /// The activation as a convolution's epilogue.
  Epilogue epilogue(bool keep_raw = false) const { return {.activation = kind, .slope = slope, .keep_raw = keep_raw}; }
};

/// Convolution: [N,H,W,in] -> [N,H',W',out], the sizes as ascore::conv2d's. Parameters weight [out,k,k,in], bias [out].
class Conv2d : public Convolution {
 public:
  Conv2d(int64_t in, int64_t out, int kernel, int dilation = 1, bool bias = true, int stride = 1,
         const LayerInit& init = {});
  using Convolution::forward;
  Activated forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const override;

 private:
  Conv2dOptions options_;
  Parameter *weight_, *bias_ = nullptr;
};

/// x weight^T + bias: [N,in] -> [N,out]. Parameters weight [out,in], bias [out].
class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, const LayerInit& init = {});
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Parameter *weight_, *bias_;
};

/// InstanceNorm++: parameters gamma, alpha ~ N(1, 0.02), beta = 0, all [channels].
class InstanceNormPlus : public Normalization {
 public:
  explicit InstanceNormPlus(int64_t channels);
  Tensor normalized(Ctx& ctx, const Measured& x) const override;
  Activated normalized(Ctx& ctx, const Measured& x, Activation activation, double slope) const override;

 private:
  Parameter *alpha_, *gamma_, *beta_;
};

}  // namespace ascore
