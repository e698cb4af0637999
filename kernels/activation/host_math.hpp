#pragma once

#include "kernels/core/vector_math.hpp"

namespace ascore::kernels::cpu {

/// The Math of kernels/activation/functions.hpp for cpu loops: every function vectorises.
struct ActivationMath {
  template <class A>
  static A exp(A x) {
    return vector_exp(x);
  }
  template <class A>
  static A expm1(A x) {
    return vector_expm1(x);
  }
  template <class A>
  static A positive_part(A x) {
    return cpu::positive_part(x);
  }
  template <class A>
  static A negative_part(A x) {
    return cpu::negative_part(x);
  }
  template <class A>
  static A where_positive(A x, A a, A b) {
    return cpu::where_positive(x, a, b);
  }
};

}  // namespace ascore::kernels::cpu
