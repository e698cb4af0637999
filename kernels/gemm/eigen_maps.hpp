#pragma once

#include <Eigen/Core>

namespace ascore::kernels::cpu {

/// Row-major matrices, as the cpu's products by Eigen see memory.
template <class Acc>
using Matrix = Eigen::Matrix<Acc, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Acc>
using MatrixMap = Eigen::Map<Matrix<Acc>>;
template <class Acc>
using ConstMatrixMap = Eigen::Map<const Matrix<Acc>>;

}  // namespace ascore::kernels::cpu
