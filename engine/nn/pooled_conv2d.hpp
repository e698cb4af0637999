#pragma once

#include "engine/nn/convolution.hpp"

#include <cstdint>

namespace ascore {

/// Convolution, then 2x2 means, in one: [N,H,W,in] -> [N,H/2,W/2,out]. Parameters weight [out,k,k,in], k odd, and bias
/// [out], as Conv2d's.
class PooledConv2d : public Convolution {
 public:
  PooledConv2d(int64_t in, int64_t out, int kernel);
  using Convolution::forward;
  Activated forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const override;

 private:
  Parameter *weight_, *bias_;
};

}  // namespace ascore
