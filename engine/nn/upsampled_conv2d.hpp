#pragma once

#include "engine/nn/init.hpp"
#include "engine/nn/module.hpp"

#include <cstdint>

namespace ascore {

/// Doubling by nearest neighbours, then a convolution, in one: [N,H,W,in] -> [N,2H,2W,out]. Parameters weight
/// [out,k,k,in], k odd, and bias [out], as Conv2d's.
class UpsampledConv2d : public Module {
 public:
  UpsampledConv2d(int64_t in, int64_t out, int kernel, const LayerInit& init = {});
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Parameter *weight_, *bias_;
};

}  // namespace ascore
