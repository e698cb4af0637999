#pragma once

#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Single-head attention: with S = scale q k^T (of one image),
///
///   y[n,m] = sum over p of exp(S[m,p] - lse[m]) v[n,p],     lse[m] = log sum over p of exp(S[m,p])
///
///   q    [N,M,D]  f32, bf16, f64 (cpu only)
///   k    [N,P,D]  v [N,P,E]  y [N,M,E]   of q's dtype; M, P, D and E are independent
///   lse  [N,M]    f32 (f64 with f64); written unless absent: what the gradients need
/// The weights are never in memory as a whole: keys are visited tile by tile, sums rescaled when a larger score turns
/// up (Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135). Scores and sums in f32 (f64 for
/// f64); simt, cuda: tensor cores, f32 as `math` says, weights of bf16 rounded to bf16. An image's result does not
/// depend on N or on the number of threads. Errors: ShapeError, DTypeError, before anything runs; N = 0: no-op. Cost: 2
/// N M P (D + E) flops (simt, cuda: D for every 128 channels of E); no workspace.
void attention(Stream& stream, ConstView q, ConstView k, ConstView v, double scale, View y, View lse,
               MathMode math = MathMode::f32);

/// Gradients of the above, each computed unless absent. With p = exp(S - lse) computed again, dp[m,p] = dy[m].v[p] and
/// delta[m] = dy[m].y[m],
///
///   ds = scale p (dp - delta),   dq[m] = sum_p ds[m,p] k[p],   dk[p] = sum_m ds[m,p] q[m],   dv[p] = sum_m p[m,p]
///   dy[m]
///
///   q, k, v, y, lse   as given to and written by the forward pass; dy [N,M,E], dq, dk, dv of q's dtype
///   workspace         u8, at least attention_backward_workspace_bytes
/// Written, not added; sums in the order of p or m, no atomics. Cost: 2 N M P (4 D + 3 E) flops (simt, cuda: the
/// products in front of a sum once for every 64 or 128 of its channels).
void attention_backward(Stream& stream, ConstView q, ConstView k, ConstView v, double scale, ConstView y, ConstView lse,
                        ConstView dy, View dq, View dk, View dv, View workspace, MathMode math = MathMode::f32);
/// `q`: its shape; y's does as well.
size_t attention_backward_workspace_bytes(const Shape& q, DType dtype);

/// attention of queries, keys and values that lie side by side in rows, as one product Q|K|V makes them: qkv [N,M,3D],
/// y [N,M,D]. The same result, bit for bit, without copies.
void attention_qkv(Stream& stream, ConstView qkv, double scale, View y, View lse, MathMode math = MathMode::f32);
/// Its gradient, side by side likewise: dqkv [N,M,3D].
void attention_qkv_backward(Stream& stream, ConstView qkv, double scale, ConstView y, ConstView lse, ConstView dy,
                            View dqkv, View workspace, MathMode math = MathMode::f32);

}  // namespace ascore::kernels
