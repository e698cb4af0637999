#pragma once

#include "engine/autograd/dropout.hpp"
#include "engine/nn/module.hpp"

#include <cstdint>

namespace ascore {

/// Dropout of whole channels in training, the identity otherwise; no parameters. `layer` tells a network's dropout
/// layers apart. Throws ConfigError unless p is in [0, 1).
class ChannelDropout : public Module {
 public:
  ChannelDropout(double p, uint32_t layer);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  double p_;
  uint32_t layer_;
};

}  // namespace ascore
