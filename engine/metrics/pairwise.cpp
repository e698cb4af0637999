#include "engine/metrics/pairwise.hpp"

#include <algorithm>
#include <vector>

#include <Eigen/Dense>

namespace ascore {

namespace {
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const Matrix>;
}  // namespace

void for_each_distance_block(std::span<const double> a, std::span<const double> b, int64_t dimensions,
                             const std::function<void(int64_t, std::span<const double>)>& visit) {
  constexpr int64_t kBlock = 128;
  const auto rows_of = [&](std::span<const double> set) { return static_cast<int64_t>(set.size()) / dimensions; };
  const Rows left(a.data(), rows_of(a), dimensions), right(b.data(), rows_of(b), dimensions);
  const Eigen::RowVectorXd right_squares = right.rowwise().squaredNorm().transpose();
  Matrix distances;
  for (int64_t first = 0; first < left.rows(); first += kBlock) {
    const auto block = left.middleRows(first, std::min(kBlock, left.rows() - first));
    // |x|^2 + |y|^2 - 2xy cancels for near rows: what is lost is about 1e-16 of |x|^2, and never below zero
    distances.noalias() = -2 * block * right.transpose();
    distances.colwise() += block.rowwise().squaredNorm();
    distances.rowwise() += right_squares;
    distances = distances.cwiseMax(0);
    visit(first, {distances.data(), static_cast<size_t>(distances.size())});
  }
}

}  // namespace ascore
