#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/op_scope.hpp"

namespace ascore::kernels {

/// Throws ConfigError, with the operation's name, for a leaky_relu of negative slope.
void require_slope(const OpScope& op, Activation kind, double slope);

}  // namespace ascore::kernels
