#pragma once

#include "kernels/core/host_device.hpp"

namespace ascore::kernels::functions {

template <class A>
struct Clamp {
  A low, high;
  ASCORE_HOST_DEVICE A operator()(A x) const {
    const A below = x > high ? high : x;
    return x < low ? low : below;
  }
  /// The step of backward.
  ASCORE_HOST_DEVICE A operator()(A x, A dy) const {
    const A below = x > high ? A(0) : dy;
    return x < low ? A(0) : below;
  }
};

}  // namespace ascore::kernels::functions
