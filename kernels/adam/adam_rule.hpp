#pragma once

#include "kernels/adam/adam.hpp"
#include "kernels/core/host_device.hpp"

#include <cmath>

namespace ascore::kernels {

/// Adam for one element. The complements are rounded from f64: in f32, 1 - 0.999f is wrong by 1e-5 of itself.
template <class T, bool kMaximum>
struct AdamRule {
  static constexpr int kStates = kMaximum ? 3 : 2, kScalars = 2;
  T beta1, beta2, complement1, complement2, eps, weight_decay;

  explicit AdamRule(const AdamOptions& options)
      : beta1(static_cast<T>(options.beta1)),
        beta2(static_cast<T>(options.beta2)),
        complement1(static_cast<T>(1 - options.beta1)),
        complement2(static_cast<T>(1 - options.beta2)),
        eps(static_cast<T>(options.eps)),
        weight_decay(static_cast<T>(options.weight_decay)) {}

  ASCORE_HOST_DEVICE T operator()(T p, T g, T* state, const T* scalars) const {
    g += weight_decay * p;
    const T m = beta1 * state[0] + complement1 * g;
    T v = beta2 * state[1] + complement2 * (g * g);
    state[0] = m;
    state[1] = v;
    if constexpr (kMaximum) {
      v = state[2] > v ? state[2] : v;
      state[2] = v;
    }
    return p - scalars[0] * m / (std::sqrt(v) * scalars[1] + eps);
  }
};

}  // namespace ascore::kernels
