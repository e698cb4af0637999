#pragma once

#include "kernels/conv2d/conv2d_cpu.hpp"

#include <cstdint>

/// 3x3 convolutions of stride 1 on the cpu by Winograd's minimal filtering F(2x2, 3x3) (Lavin & Gray 2016,
/// arXiv:1509.09308), in f32: 16 products for the four outputs of a tile where the plain sum has 36.
///
///   y = A^T [ sum over i of (G w G^T) * (B^T x B) ] A        x: 4x4 inputs of a tile, y: its 2x2 outputs, * by element
///   dw = G^T [ sum over tiles of (B^T x B) * (A dy A^T) ] G
///
///       | 1  0 -1  0 |        | 1   0   0  |        | 1  0 |
/// B^T = | 0  1  1  0 |   G  = | .5  .5  .5 |   A  = | 1  1 |
///       | 0 -1  1  0 |        | .5 -.5  .5 |        | 1 -1 |
///       | 0  1  0 -1 |        | 0   0   1  |        | 0 -1 |
///
/// For each of the 16 places of a transformed tile the sums over channels (over tiles) are a matrix product
/// (kernels/gemm/panel_product.hpp). Every factor is 0, 1 or 1/2, so that rounding stays that of the plain sum.
namespace ascore::kernels::cpu {

/// True if the convolution is computed so: 3x3, stride 1, channels in multiples of 32, f32 (or bf16 on a processor
/// without products of bf16), and tiles enough in an image for the transformed weights to be worth their making. It
/// depends on one image alone, never on the batch.
bool fits_winograd(Stream& stream, const Conv2dShape& shape, DType dtype);

/// As library_conv2d and its gradients, for shapes that fit. The gradient of x is the convolution of dy with the
/// weights mirrored in both directions, inputs and outputs exchanged. An image's result depends neither on the batch
/// nor on the number of threads. Scratch does not grow with the batch.
void winograd_conv2d(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView weight, ConstView bias,
                     const Finish& finish, View y);
void winograd_conv2d_dgrad(Stream& stream, const Conv2dShape& shape, ConstView dy, ConstView weight,
                           const Finish& finish, View dx);
void winograd_conv2d_wgrad(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView dy, View dweight);

}  // namespace ascore::kernels::cpu
