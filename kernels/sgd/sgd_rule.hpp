#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/sgd/sgd.hpp"

namespace ascore::kernels {

/// Gradient descent with momentum for one element.
template <class T>
struct SgdRule {
  static constexpr int kStates = 1, kScalars = 1;
  T momentum, weight_decay;

  explicit SgdRule(const SgdOptions& options)
      : momentum(static_cast<T>(options.momentum)), weight_decay(static_cast<T>(options.weight_decay)) {}

  ASCORE_HOST_DEVICE T operator()(T p, T g, T* state, const T* scalars) const {
    g += weight_decay * p;
    state[0] = momentum * state[0] + g;
    return p - scalars[0] * state[0];
  }
};

}  // namespace ascore::kernels
