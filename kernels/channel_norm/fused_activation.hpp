#pragma once

#include "kernels/activation/functions.hpp"

namespace ascore::kernels {

/// The activations that a normalisation computes along.
constexpr bool is_fused(Activation kind) {
  return kind == Activation::identity || kind == Activation::silu;
}

/// Calls body(functor), with a backend's exp from `Math`. Both functors have their slope from the input.
template <class Math, class Body>
void for_fused_activation(Activation kind, Body&& body) {
  if (kind == Activation::silu) return body(functions::Silu<Math>{});
  body(functions::Identity{});
}

}  // namespace ascore::kernels
