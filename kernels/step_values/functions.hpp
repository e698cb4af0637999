#pragma once

#include "kernels/affine/functions.hpp"

namespace ascore::kernels::functions {

/// The number that lies at `value` when the kernel runs.
template <class A>
struct ValueAt {
  const double* value;
  ASCORE_HOST_DEVICE A operator()() const { return static_cast<A>(*value); }
};

/// x times the number that lies at `factor` when the kernel runs.
template <class A>
struct ScaleBy {
  const double* factor;
  ASCORE_HOST_DEVICE A operator()(A x) const { return Affine<A>{static_cast<A>(*factor), A(0)}(x); }
};

}  // namespace ascore::kernels::functions
