#pragma once

#include "engine/autograd/measured.hpp"
#include "engine/nn/module.hpp"

namespace ascore {

/// A layer that normalises: [N,H,W,C] -> the same.
class Normalization : public Module {
 public:
  virtual Tensor normalized(Ctx& ctx, const Measured& x) const = 0;
  /// The normalised x behind f; in one pass where a layer has one of its own.
  virtual Activated normalized(Ctx& ctx, const Measured& x, Activation activation, double slope) const {
    return activated(ctx, normalized(ctx, x), activation, slope);
  }
  Tensor forward(Ctx& ctx, const Tensor& x) const override { return normalized(ctx, x); }

  /// True if the layer gains by an x that its producer has measured (Epilogue::measure). Not on the cpu, where a
  /// layer's own pass finds an image in the cache and applies the moments while it is there.
  virtual bool measures(const Ctx& ctx) const;
};

}  // namespace ascore
