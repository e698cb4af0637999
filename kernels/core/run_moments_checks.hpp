#pragma once

#include "kernels/core/op_scope.hpp"

namespace ascore::kernels {

/// Requires `runs` to be run moments (kernels/core/run_moments.hpp) of `images`, and these to have some.
void check_run_moments(const OpScope& op, ConstView runs, ConstView images);

}  // namespace ascore::kernels
