#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/op_scope.hpp"

/// What normalisations require of their arguments.
namespace ascore::kernels {

/// Of the arguments that channel_norm and all backward passes share, as channel_norm.hpp has them.
void check_normalizer(const OpScope& op, ConstView x, ConstView mean, ConstView rstd, ConstView gamma, ConstView beta,
                      Activation activation);
/// Of other images beside x.
void check_like(const OpScope& op, ConstView x, ConstView other);

}  // namespace ascore::kernels
