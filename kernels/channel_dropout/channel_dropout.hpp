#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore::kernels {

/// Dropout of whole channels (Tompson et al. 2015, arXiv:1411.4280; PyTorch's Dropout2d):
///
///   y[n,:,:,c] = x[n,:,:,c] / (1 - p) where u(n, c) > p, else 0;   u uniform in (0, 1]
///
/// u is drawn inside (kernels/core/philox.hpp): row n belongs to sample key.first_sample + n, and its draw number c is
/// that of channel c of `layer`, so that layers differ and one key serves a whole network. It is linear in x, and its
/// own gradient: dx is what the same call makes of dy.
///
///   x, y    [N,H,W,C]  NHWC, C at most 2^18; f32, bf16, f64 (cpu only), both of one dtype; y may be x
///   layer   below 2^16
///   p       in [0, 1)
/// Errors: ShapeError, DTypeError, ConfigError (p, layer), before anything runs; empty x: no-op. Cost: one read, one
/// write, and a draw per 128 pixels of a channel or fewer; no workspace.
void channel_dropout(Stream& stream, ConstView x, const NoiseKey& key, uint32_t layer, double p, View y);

}  // namespace ascore::kernels
