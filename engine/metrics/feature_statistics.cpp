#include "engine/metrics/feature_statistics.hpp"

#include "engine/metrics/rows.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Dense>
#include <fmt/format.h>

namespace ascore {

namespace {
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const Matrix>;

/// sum += rows^T rows, in blocks that Eigen multiplies on one thread each: the bits do not depend on how many there
/// are.
void add_products(const Matrix& rows, Eigen::Map<Matrix>& sum) {
  constexpr int64_t kBlock = 128;
  const int64_t side = rows.cols(), blocks = (side + kBlock - 1) / kBlock;
#pragma omp parallel for schedule(static)
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = block * kBlock, size = std::min(kBlock, side - first);
    sum.middleRows(first, size).noalias() += rows.middleCols(first, size).transpose() * rows;
  }
}
}  // namespace

FeatureSums::FeatureSums(int64_t dimensions) : dimensions_(dimensions) {
  if (dimensions < 1) throw DataError(fmt::format("feature statistics: features of {} dimensions", dimensions));
  mean_.assign(static_cast<size_t>(dimensions), 0.0);
  scatter_.assign(static_cast<size_t>(dimensions * dimensions), 0.0);
}

void FeatureSums::add(std::span<const double> rows) {
  if (rows.empty()) return;
  const int64_t count = count_rows("feature statistics", rows, dimensions_, 1);
  if (!std::ranges::all_of(rows, [](double value) { return std::isfinite(value); })) {
    throw DataError("feature statistics: features that are not finite");
  }
  const Rows piece(rows.data(), count, dimensions_);
  const Eigen::VectorXd piece_mean = piece.colwise().mean();
  const Matrix centred = piece.rowwise() - piece_mean.transpose();
  Eigen::Map<Eigen::VectorXd> mean(mean_.data(), dimensions_);
  Eigen::Map<Matrix> scatter(scatter_.data(), dimensions_, dimensions_);
  const Eigen::VectorXd apart = piece_mean - mean;
  const double before = static_cast<double>(count_), more = static_cast<double>(count), all = before + more;
  add_products(centred, scatter);
  scatter.noalias() += (before * more / all) * apart * apart.transpose();
  mean += apart * (more / all);
  count_ += count;
}

FeatureStatistics FeatureSums::statistics() const {
  if (count_ < 2) throw DataError(fmt::format("feature statistics: {} vectors; at least two are needed", count_));
  FeatureStatistics result{.count = count_, .mean = mean_, .covariance = scatter_};
  for (double& value : result.covariance) value /= static_cast<double>(count_ - 1);
  return result;
}

FeatureStatistics feature_statistics(std::span<const double> rows, int64_t dimensions) {
  FeatureSums sums(dimensions);
  sums.add(rows);
  return sums.statistics();
}

}  // namespace ascore
