#pragma once

#include "kernels/core/dtype.hpp"

namespace ascore::kernels {

/// Throws DTypeError: the running operation has no variant for `dtype`.
[[noreturn]] void throw_no_dtype(DType dtype);

/// Calls `body.template operator()<T>()` with T = float or bf16: the floating types that every device computes.
template <class Body>
void for_float_type(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::f32:
      return body.template operator()<float>();
    case DType::bf16:
      return body.template operator()<bf16>();
    default:
      throw_no_dtype(dtype);
  }
}

/// The same with double as well, which only `cpu` computes.
template <class Body>
void for_cpu_float_type(DType dtype, Body&& body) {
  if (dtype == DType::f64) return body.template operator()<double>();
  for_float_type(dtype, body);
}

/// Calls `body` with T = float or double: operations on images, noise and losses, which are never bf16. On cpu only;
/// the other devices have the f32 variant alone.
template <class Body>
void for_cpu_real_type(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::f32:
      return body.template operator()<float>();
    case DType::f64:
      return body.template operator()<double>();
    default:
      throw_no_dtype(dtype);
  }
}

}  // namespace ascore::kernels
