#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/host_device.hpp"

/// The activations as functors, shared by all backends: `Math` brings a backend's exp, expm1 and choices. Each has the
/// value `operator()(x)` and the derivative `slope(kept)`, of what activation_backward keeps.
namespace ascore::kernels::functions {

struct Identity {
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A x) const {
    return x;
  }
  template <class A>
  ASCORE_HOST_DEVICE A slope(A) const {
    return A(1);
  }
};

template <class Math>
struct Elu {
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A x) const {
    return Math::positive_part(x) + Math::expm1(Math::negative_part(x));
  }
  template <class A>
  ASCORE_HOST_DEVICE A slope(A y) const {
    return A(1) + Math::negative_part(y);
  }
};

template <class Math>
struct LeakyRelu {
  double factor;
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A x) const {
    return Math::positive_part(x) + static_cast<A>(factor) * Math::negative_part(x);
  }
  template <class A>
  ASCORE_HOST_DEVICE A slope(A y) const {
    return Math::where_positive(y, A(1), static_cast<A>(factor));
  }
};

template <class Math>
struct Relu {
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A x) const {
    return Math::positive_part(x);
  }
  template <class A>
  ASCORE_HOST_DEVICE A slope(A y) const {
    return Math::where_positive(y, A(1), A(0));
  }
};

template <class Math>
struct Sigmoid {
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A x) const {
    return A(1) / (A(1) + Math::exp(-x));
  }
  template <class A>
  ASCORE_HOST_DEVICE A slope(A y) const {
    return y * (A(1) - y);
  }
};

template <class Math>
struct Silu {
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A x) const {
    return x / (A(1) + Math::exp(-x));
  }
  template <class A>
  ASCORE_HOST_DEVICE A slope(A x) const {
    const A s = A(1) / (A(1) + Math::exp(-x));
    return s * (A(1) + x * (A(1) - s));
  }
};

/// Calls body(functor) with the functor of `kind`.
template <class Math, class Body>
void for_activation(Activation kind, double slope, Body&& body) {
  switch (kind) {
    case Activation::identity:
      return body(Identity{});
    case Activation::elu:
      return body(Elu<Math>{});
    case Activation::relu:
      return body(Relu<Math>{});
    case Activation::leaky_relu:
      return body(LeakyRelu<Math>{slope});
    case Activation::silu:
      return body(Silu<Math>{});
    case Activation::sigmoid:
      return body(Sigmoid<Math>{});
  }
}

/// The step of backward: dx = dy f'(kept).
template <class F>
struct Derivative {
  F f;
  template <class A>
  ASCORE_HOST_DEVICE A operator()(A kept, A dy) const {
    return dy * f.slope(kept);
  }
};

}  // namespace ascore::kernels::functions
