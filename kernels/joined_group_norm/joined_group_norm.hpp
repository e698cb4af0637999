#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// group_norm (kernels/group_norm, which has the formulas) of two images joined along their channels, c < A of a, the
/// others of b; what is normalised is never in memory as one:
///
///   a            [N,H,W,A]    NHWC; f32, bf16, f64 (cpu only)
///   b            [N,H,W,B]    of a's dtype; A, B >= 1; groups may begin in a and end in b
///   y            [N,H,W,A+B]  of a's dtype
///   gamma, beta  [A+B]        f32 (f64 with f64); absent: 1 and 0
///   mean, rstd   [N,G]        f32 (f64 with f64); written; G is read off them and divides A+B
///   workspace    u8, at least joined_group_norm_workspace_bytes
/// Errors: ShapeError, DTypeError, ConfigError (an activation but identity and silu), before anything runs; empty y:
/// no-op. Cost: as group_norm of the joined image, which a copy would write and read once more.
void joined_group_norm(Stream& stream, ConstView a, ConstView b, ConstView gamma, ConstView beta, double eps,
                       Activation activation, View y, View mean, View rstd, View workspace);
/// `joined`: y's shape.
size_t joined_group_norm_workspace_bytes(const Shape& joined, DType dtype);

/// What else the gradients of a and b are made of: of their shapes and dtype, each absent (0), and not da or db.
struct JoinedResiduals {
  ConstView a{}, b{};
};

/// Gradients of the above, each skipped if absent:
///
///   a, b, gamma, beta, mean, rstd   as given to and written by the forward pass; dy [N,H,W,A+B] of a's dtype
///   da, db           like a and b, the residuals added before they are rounded
///   dgamma, dbeta    [A+B]  f32 (f64 with f64); summed over images in a fixed order
///   workspace        u8, at least joined_group_norm_backward_workspace_bytes
void joined_group_norm_backward(Stream& stream, ConstView a, ConstView b, ConstView gamma, ConstView beta,
                                ConstView mean, ConstView rstd, Activation activation, ConstView dy, View da, View db,
                                View dgamma, View dbeta, View workspace, const JoinedResiduals& residuals = {});
size_t joined_group_norm_backward_workspace_bytes(const Shape& joined, int64_t groups, DType dtype);

}  // namespace ascore::kernels
