#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Channels of two images one after the other: y[n,h,w,c] = a[n,h,w,c] for c < A, b[n,h,w,c-A] for the others.
///
///   a [N,H,W,A], b [N,H,W,B], y [N,H,W,A+B]   NHWC; f32, bf16, f64 (cpu only), all of one dtype; A and B at least 1
/// Errors: ShapeError, DTypeError, before anything runs; empty y: no-op. Cost: one read of a and b, one write of y.
void concat_channels(Stream& stream, ConstView a, ConstView b, View y);

/// The inverse, which is also the gradient: a and b are the channels of y, each written unless absent.
void split_channels(Stream& stream, ConstView y, View a, View b);

}  // namespace ascore::kernels
