#include "engine/nn/dropout.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

ChannelDropout::ChannelDropout(double p, uint32_t layer) : p_(p), layer_(layer) {
  if (!(p >= 0 && p < 1)) throw ConfigError(fmt::format("dropout = {}: must be in [0, 1)", p));
}

Tensor ChannelDropout::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return dropout_channels(ctx, x, p_, layer_);
}

}  // namespace ascore
