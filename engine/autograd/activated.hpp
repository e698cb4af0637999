#pragma once

#include "engine/autograd/operations.hpp"

namespace ascore {

/// A tensor behind its activation. Convolutions take one in and give one out, so that neither f nor f' is a pass over
/// memory: the one that makes it applies f as it stores, and the ones that use it multiply by f' as they store the
/// gradient, which they give to `raw`. Any other operation may use `value`, and the tape then finds the way.
struct Activated {
  Tensor raw;    ///< what f is taken of; of a product's epilogue without keep_raw, for the tape alone: never read it
  Tensor value;  ///< f(raw)
  Activation activation = Activation::identity;
  double slope = 0.01;  ///< of leaky_relu
  Tensor runs{};        ///< run moments of `raw`, where they were asked for (Epilogue::measure); see measured.hpp

  Activated() = default;
  /// x as it is.
  Activated(const Tensor& x) : raw(x), value(x) {}
  Activated(const Tensor& before, const Tensor& after, Activation f, double leaky_slope)
      : raw(before), value(after), activation(f), slope(leaky_slope) {}

  /// What backward needs for f'.
  const Tensor& kept() const;
};

/// Both x and f(x).
Activated activated(Ctx& ctx, const Tensor& x, Activation activation, double slope = 0.01);

/// For operations that apply f themselves: tells the tape how `pair.value` depends on `pair.raw`.
void record_activation(Ctx& ctx, const Activated& pair);

}  // namespace ascore
