#include "tests/support/compare.hpp"

#include "kernels/core/dtype.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace ascore::test {

double relative_error(std::span<const double> values, std::span<const double> reference) {
  if (values.size() != reference.size()) return std::numeric_limits<double>::quiet_NaN();
  double difference = 0, size = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    difference += (values[i] - reference[i]) * (values[i] - reference[i]);
    size += reference[i] * reference[i];
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

double max_relative_error(std::span<const double> values, std::span<const double> reference) {
  if (values.size() != reference.size()) return std::numeric_limits<double>::quiet_NaN();
  double difference = 0, size = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || !std::isfinite(reference[i])) return std::numeric_limits<double>::quiet_NaN();
    difference = std::max(difference, std::abs(values[i] - reference[i]));
    size = std::max(size, std::abs(reference[i]));
  }
  return size > 0 ? difference / size : difference;
}

AtMostTwiceTheErrorOf::AtMostTwiceTheErrorOf(std::vector<double> naive, std::vector<double> reference, double floor)
    : reference_(std::move(reference)), naive_error_(relative_error(naive, reference_)), floor_(floor) {}

bool AtMostTwiceTheErrorOf::match(const std::vector<double>& values) const {
  error_ = relative_error(values, reference_);
  return error_ <= std::max(2 * naive_error_, floor_);
}

std::string AtMostTwiceTheErrorOf::describe() const {
  return fmt::format("has relative error {:.3g}; the naive twin has {:.3g} (allowed: twice that, or {:.3g})", error_,
                     naive_error_, floor_);
}

double round_f32(double value) {
  return static_cast<double>(static_cast<float>(value));
}
double round_bf16(double value) {
  return static_cast<double>(f32_from_bf16(bf16_from_f32(static_cast<float>(value))));
}

}  // namespace ascore::test
