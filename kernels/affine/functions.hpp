#pragma once

#include "kernels/core/host_device.hpp"

namespace ascore::kernels::functions {

/// factor x + shift, with both constants rounded to the accumulator type.
template <class A>
struct Affine {
  A factor, shift;
  ASCORE_HOST_DEVICE A operator()(A x) const { return factor * x + shift; }
};

}  // namespace ascore::kernels::functions
