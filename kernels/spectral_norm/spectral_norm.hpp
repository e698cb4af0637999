#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Divides a weight, seen as a matrix W [O,R], by an estimate of its largest singular value: one step of power
/// iteration (Miyato et al. 2018, arXiv:1802.05957, algorithm 1, in the order of BigGAN, arXiv:1809.11096). From u,
///
///   v = n(u W),   u' = n(v W^T),   sigma = u' W v^T,   y = W / sigma,      n(a) = a / max(|a|, 1e-12)
///
///   w, y      [O,...]  any rank from 1; R = the rest (1 for rank 1), in any order; f32, f64 (cpu only)
///   u         O elements, of w's dtype
///   u_next    O elements, v R elements, sigma [1]: of w's dtype; written. u_next may be u
/// Sums in f32 or wider, in an order fixed by device, O and R. Errors: ShapeError, DTypeError, before anything runs;
/// empty w: no-op. Cost: three reads of w, one write; no workspace beyond the outputs.
void spectral_norm(Stream& stream, ConstView w, ConstView u, View y, View u_next, View v, View sigma);

/// The same with u and v as they are: sigma = u W v^T, y = W / sigma, no iteration.
///
///   workspace   u8, at least spectral_norm_workspace_bytes
void spectral_norm_held(Stream& stream, ConstView w, ConstView u, ConstView v, View y, View sigma, View workspace);

/// Bytes of workspace that spectral_norm_held and spectral_norm_backward need for w of this shape and dtype.
size_t spectral_norm_workspace_bytes(const Shape& w, DType dtype);

/// dw = dy / sigma - (sum(dy W) / sigma^2) u'^T v: the gradient with u' and v as constants.
///
///   w, u_next, v, sigma   as given to and written by the forward pass
///   dy, dw                of w's shape and dtype; dw may be dy
///   workspace             u8, at least spectral_norm_workspace_bytes
void spectral_norm_backward(Stream& stream, ConstView w, ConstView u_next, ConstView v, ConstView sigma, ConstView dy,
                            View dw, View workspace);

}  // namespace ascore::kernels
