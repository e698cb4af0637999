#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/rmsprop/rmsprop.hpp"

#include <cmath>

namespace ascore::kernels {

/// RMSProp for one element.
template <class T>
struct RmspropRule {
  static constexpr int kStates = 1, kScalars = 1;
  T alpha, complement, eps, weight_decay;

  explicit RmspropRule(const RmspropOptions& options)
      : alpha(static_cast<T>(options.alpha)),
        complement(static_cast<T>(1 - options.alpha)),
        eps(static_cast<T>(options.eps)),
        weight_decay(static_cast<T>(options.weight_decay)) {}

  ASCORE_HOST_DEVICE T operator()(T p, T g, T* state, const T* scalars) const {
    g += weight_decay * p;
    const T v = alpha * state[0] + complement * (g * g);
    state[0] = v;
    return p - scalars[0] * g / (std::sqrt(v) + eps);
  }
};

}  // namespace ascore::kernels
