#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Cross-entropy of a softmax over K classes and the true ones:
///
///   per_sample[n] = ln(sum_k exp(x[n,k])) - x[n,labels[n]];   mean = sum_n per_sample / N
///   hits[n] = 1 where x[n,labels[n]] is the greatest of its row, the first of equals; else 0
///
///   x            [N,K]  f32, or f64 (cpu); N and K at least 1
///   labels       [N]    i32; of one outside of [0,K) the loss is NaN, and it is no hit
///   per_sample   [N]    of x's dtype
///   hits         [N]    of x's dtype; may be absent
///   mean         one element of x's dtype
/// The greatest of a row is taken off before exp, which then never overflows. A sample's sums are taken in an order
/// that K and the device fix, never N. Errors: ShapeError, DTypeError, before anything runs. Cost: x is read twice.
void cross_entropy(Stream& stream, ConstView x, ConstView labels, View per_sample, View hits, View mean);

/// Gradient of `mean` with respect to x: grad_mean / N (softmax(x)[n,k] - [k = labels[n]]).
///
///   x, grad_x    [N,K]  one dtype, as above; grad_x may be x
///   grad_mean    one element of x's dtype
/// Errors as above. Cost: x is read three times, grad_x written once; no workspace.
void cross_entropy_backward(Stream& stream, ConstView x, ConstView labels, ConstView grad_mean, View grad_x);

}  // namespace ascore::kernels
