#pragma once

#include "engine/autograd/activated.hpp"
#include "engine/nn/module.hpp"

namespace ascore {

/// A layer that normalises: [N,H,W,C] -> the same.
class Normalization : public Module {
 public:
  using Module::forward;
  /// The normalised x behind f; in one pass where a layer has one of its own.
  virtual Activated forward(Ctx& ctx, const Tensor& x, Activation activation, double slope) const {
    return activated(ctx, forward(ctx, x), activation, slope);
  }
};

}  // namespace ascore
