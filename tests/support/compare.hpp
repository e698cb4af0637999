#pragma once

#include "tests/support/catch.hpp"

#include <span>
#include <vector>

namespace ascore::test {

/// sqrt(sum (a-b)^2 / sum b^2); NaN if any element is not finite.
double relative_error(std::span<const double> values, std::span<const double> reference);
/// max |a-b| / max |b|; the plain maximum where the reference is zero. NaN if any element is not finite.
double max_relative_error(std::span<const double> values, std::span<const double> reference);

/// Passes if the values are at most twice as far (relative 2-norm) from the f64 reference as a naive twin computed in
/// the same dtype, or within `floor` (one rounding of the output: where the twin happens to be exact).
class AtMostTwiceTheErrorOf : public Catch::MatcherBase<std::vector<double>> {
 public:
  AtMostTwiceTheErrorOf(std::vector<double> naive, std::vector<double> reference, double floor);
  bool match(const std::vector<double>& values) const override;
  std::string describe() const override;

 private:
  std::vector<double> reference_;
  double naive_error_, floor_;
  mutable double error_ = 0;
};
inline AtMostTwiceTheErrorOf at_most_twice_the_error_of(std::vector<double> naive, std::vector<double> reference,
                                                        double floor = 1e-7) {
  return {std::move(naive), std::move(reference), floor};
}

/// Rounds each value to f32, or to bf16: for writing naive twins in plain loops.
double round_f32(double value);
double round_bf16(double value);

}  // namespace ascore::test
