#pragma once

#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/golden.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

namespace ascore::test {

/// What a compared number is: decides how far a result in f32 may be from it.
enum class Quantity : uint8_t { output, loss, gradient, buffer };

/// How close a computation in `computed` must come to a golden tensor, relative to its largest element; the figures of
/// tests/data/golden's documentation. In f64 only the rounding of what is stored as F32 remains.
inline double tolerance(DType computed, DType stored, Quantity quantity) {
  if (computed == DType::f64) return stored == DType::f64 ? 1e-9 : 1e-7;
  return quantity == Quantity::gradient ? 2e-4 : 1e-5;
}

/// Checks `values`, already in the layout of `reference`, against the tensor `name` of a golden file.
inline void check_agrees(const std::string& name, std::span<const double> values, std::span<const double> reference,
                         double allowed) {
  INFO(name);
  REQUIRE(values.size() == reference.size());
  CHECK(max_relative_error(values, reference) <= allowed);
}

/// Parameters after `steps` of Adam with a beta1 that makes the first steps +-lr: where the gradient is small, rounding
/// decides the sign, so in f32 only elements of |gradient| > 1e-3 of the largest are compared closely (1e-2 lr), the
/// rest to 2 lr per step.
inline void check_adam(const std::string& name, std::span<const double> values, std::span<const double> reference,
                       std::span<const double> gradient, double lr, int steps, DType computed) {
  if (computed == DType::f64) return check_agrees(name, values, reference, 1e-7);
  INFO(name);
  REQUIRE(values.size() == reference.size());
  double largest = 0, worst_large = 0, worst_small = 0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  for (size_t i = 0; i < values.size(); ++i) {
    double& worst = std::abs(gradient[i]) > 1e-3 * largest ? worst_large : worst_small;
    worst = std::max(worst, std::abs(values[i] - reference[i]));
  }
  CHECK(worst_large <= 1e-2 * lr);
  CHECK(worst_small <= 2 * lr * steps);
}

}  // namespace ascore::test
