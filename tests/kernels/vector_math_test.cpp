#include "kernels/core/vector_math.hpp"

#include "tests/support/catch.hpp"

using namespace ascore;

namespace {
/// Distance from the true value in units of the last place of its f32 neighbour.
double ulps(float value, double exact) {
  const float nearest = static_cast<float>(exact);
  const double unit = static_cast<double>(std::nextafter(std::abs(nearest), INFINITY)) - std::abs(nearest);
  return std::abs(static_cast<double>(value) - exact) / unit;
}
}  // namespace

TEST_CASE("vector_exp and vector_expm1 are within 2 units in the last place of f64") {
  double worst_exp = 0, worst_expm1 = 0;
  for (int i = -870000; i <= 870000; ++i) {
    const float x = static_cast<float>(i) * 1e-4f;
    worst_exp = std::max(worst_exp, ulps(kernels::cpu::vector_exp(x), std::exp(static_cast<double>(x))));
    worst_expm1 = std::max(worst_expm1, ulps(kernels::cpu::vector_expm1(x), std::expm1(static_cast<double>(x))));
  }
  for (float x = 1e-30f; x < 1; x *= 1.37f) {
    for (float signed_x : {x, -x}) {
      worst_expm1 =
          std::max(worst_expm1, ulps(kernels::cpu::vector_expm1(signed_x), std::expm1(static_cast<double>(signed_x))));
    }
  }
  CHECK(worst_exp <= 2);
  CHECK(worst_expm1 <= 2);
  CHECK(kernels::cpu::vector_expm1(0.0f) == 0.0f);
  CHECK(std::isnan(kernels::cpu::vector_exp(NAN)));
  CHECK(std::isnan(kernels::cpu::vector_expm1(NAN)));
  CHECK(std::isnan(kernels::cpu::vector_exp(-NAN)));
  CHECK(kernels::cpu::vector_exp(INFINITY) == kernels::cpu::vector_exp(87.0f));
  CHECK(kernels::cpu::vector_expm1(-INFINITY) == -1.0f);
}

TEST_CASE("parts and choices by sign bits agree with comparisons") {
  for (float x : {-2.5f, -0.0f, 0.0f, 3.0f, INFINITY, -INFINITY, 1e-42f, -1e-42f}) {
    CAPTURE(x);
    CHECK(kernels::cpu::positive_part(x) == std::max(x, 0.0f));
    CHECK(kernels::cpu::negative_part(x) == std::min(x, 0.0f));
    CHECK(kernels::cpu::where_positive(x, 1.0f, 2.0f) == (x > 0 ? 1.0f : 2.0f));
  }
}
