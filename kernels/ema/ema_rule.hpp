#pragma once

#include "kernels/flat_update/flat_update.hpp"

namespace ascore::kernels {

/// The average as an update whose "parameter" is the shadow and whose "gradient" is the parameter.
template <class T>
struct EmaRule {
  static constexpr int kStates = 0, kScalars = 0;
  T complement;

  explicit EmaRule(double decay) : complement(static_cast<T>(1 - decay)) {}

  ASCORE_HOST_DEVICE T operator()(T shadow, T p, T*, const T*) const { return ema_step(shadow, p, complement); }
};

}  // namespace ascore::kernels
