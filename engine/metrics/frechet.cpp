#include "engine/metrics/frechet.hpp"

#include "kernels/core/error.hpp"

#include <Eigen/Dense>
#include <fmt/format.h>

namespace ascore {

namespace {

using Matrix = Eigen::Map<const Eigen::MatrixXd>;
using Vector = Eigen::Map<const Eigen::VectorXd>;

Eigen::MatrixXd square_root(const Matrix& covariance) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  // eigenvalues of a positive semidefinite matrix can come out slightly negative
  const Eigen::VectorXd roots = solver.eigenvalues().cwiseMax(0).cwiseSqrt();
  return solver.eigenvectors() * roots.asDiagonal() * solver.eigenvectors().transpose();
}

/// Sum of the singular values of M: the eigenvalues of [[0, M], [M^T, 0]] are these and their negatives. Nothing is
/// squared on the way, so that small ones are as exact as large ones.
double sum_of_singular_values(const Eigen::MatrixXd& m) {
  const Eigen::Index side = m.rows();
  Eigen::MatrixXd both = Eigen::MatrixXd::Zero(2 * side, 2 * side);
  both.bottomLeftCorner(side, side) = m.transpose();  // the solver reads the lower triangle only
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(both, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().cwiseAbs().sum() / 2;
}

}  // namespace

double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b) {
  const int64_t side = a.dimensions();
  if (side != b.dimensions()) {
    throw DataError(
        fmt::format("Frechet distance: features of {} and of {} dimensions; both sets must come from one "
                    "feature network",
                    side, b.dimensions()));
  }
  const Matrix of_a(a.covariance.data(), side, side), of_b(b.covariance.data(), side, side);
  const double apart = (Vector(a.mean.data(), side) - Vector(b.mean.data(), side)).squaredNorm();
  return apart + of_a.trace() + of_b.trace() - 2 * sum_of_singular_values(square_root(of_a) * square_root(of_b));
}

}  // namespace ascore
