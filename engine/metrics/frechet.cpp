#include "engine/metrics/frechet.hpp"

#include "kernels/core/error.hpp"

#include <Eigen/Dense>
#include <fmt/format.h>

namespace ascore {

namespace {

using Rows = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

struct Gaussian {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

Gaussian fit(std::span<const double> values, int64_t dimensions) {
  const auto size = static_cast<int64_t>(values.size());
  if (dimensions <= 0 || size % dimensions != 0 || size / dimensions < 2) {
    throw DataError(fmt::format("Frechet distance: {} values are no set of at least two rows of {}", size, dimensions));
  }
  const Rows rows(values.data(), size / dimensions, dimensions);
  Gaussian result{rows.colwise().mean(), {}};
  const Eigen::MatrixXd centred = rows.rowwise() - result.mean.transpose();
  result.covariance = centred.transpose() * centred / static_cast<double>(rows.rows() - 1);
  return result;
}

/// Eigenvalues of a positive semidefinite matrix can come out slightly negative.
Eigen::VectorXd roots(const Eigen::VectorXd& eigenvalues) {
  return eigenvalues.cwiseMax(0).cwiseSqrt();
}

}  // namespace

double frechet_distance(std::span<const double> a, std::span<const double> b, int64_t dimensions) {
  const Gaussian p = fit(a, dimensions), q = fit(b, dimensions);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_p(p.covariance);
  const Eigen::MatrixXd root =
      of_p.eigenvectors() * roots(of_p.eigenvalues()).asDiagonal() * of_p.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_product(root * q.covariance * root, Eigen::EigenvaluesOnly);
  return (p.mean - q.mean).squaredNorm() + p.covariance.trace() + q.covariance.trace() -
         2 * roots(of_product.eigenvalues()).sum();
}

}  // namespace ascore
