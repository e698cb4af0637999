#include "kernels/core/run_moments_checks.hpp"

#include "kernels/core/run_moments.hpp"

namespace ascore::kernels {

void check_run_moments(const OpScope& op, ConstView runs, ConstView images) {
  op.require(runs.shape() == run_moments_shape(images.shape()) && runs.dim(1) > 0,
             "run moments must have run_moments_shape of the images, with at least one run each");
  op.require_dtype(runs.dtype() == accumulator(images.dtype()), "run moments must be f32 (f64 with f64)");
}

}  // namespace ascore::kernels
