#include "engine/io/npz.hpp"
#include "engine/metrics/feature_statistics.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

HostTensor text_array(const std::string& text) {
  return HostTensor::from(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()),
                          {static_cast<int64_t>(text.size())});
}

/// Rounding of other tools leaves the two halves of a covariance a little apart.
bool is_symmetric(const std::vector<double>& matrix, size_t side) {
  double largest = 0, apart = 0;
  for (size_t i = 0; i < side; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      largest = std::max(largest, std::abs(matrix[i * side + j]));
      apart = std::max(apart, std::abs(matrix[i * side + j] - matrix[j * side + i]));
    }
  }
  return apart <= 1e-6 * largest;
}

}  // namespace

void write_statistics(const std::filesystem::path& path, const FeatureStatistics& statistics,
                      const std::string& features) {
  const int64_t side = statistics.dimensions();
  const std::vector<int64_t> count{statistics.count};
  write_npz(path, {{"mu", HostTensor::from(statistics.mean, {side})},
                   {"sigma", HostTensor::from(statistics.covariance, {side, side})},
                   {"count", HostTensor::from(count, {1})},
                   {"features", text_array(features)}});
}

StoredStatistics read_statistics(const std::filesystem::path& path) {
  const auto arrays = read_npz(path);
  const auto mu = arrays.find("mu"), sigma = arrays.find("sigma");
  if (mu == arrays.end() || sigma == arrays.end()) {
    throw DataError(
        fmt::format("{}: has no arrays mu and sigma; give what ascore stats or pytorch-fid wrote", path.string()));
  }
  const Shape &mean = mu->second.shape, &covariance = sigma->second.shape;
  if (mean.rank() != 1 || mean[0] < 1 || covariance != Shape{mean[0], mean[0]}) {
    throw DataError(fmt::format("{}: mu is {} and sigma {}; they must be [D] and [D,D]", path.string(), to_string(mean),
                                to_string(covariance)));
  }
  if (!all_finite(mu->second) || !all_finite(sigma->second)) {
    throw DataError(fmt::format("{}: mu or sigma hold values that are not finite", path.string()));
  }
  StoredStatistics result;
  result.statistics.mean = mu->second.to_doubles();
  result.statistics.covariance = sigma->second.to_doubles();
  if (!is_symmetric(result.statistics.covariance, result.statistics.mean.size())) {
    throw DataError(fmt::format("{}: sigma is not symmetric, so no covariance", path.string()));
  }
  if (const auto count = arrays.find("count"); count != arrays.end() && count->second.count() == 1) {
    result.statistics.count = static_cast<int64_t>(count->second.to_doubles()[0]);
  }
  if (const auto text = arrays.find("features"); text != arrays.end() && text->second.dtype == DType::u8) {
    const std::span<const uint8_t> letters = text->second.as<uint8_t>();
    result.features.assign(letters.begin(), letters.end());
  }
  return result;
}

}  // namespace ascore
