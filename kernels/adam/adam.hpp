#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Constants of a run. beta1 may be negative: any value in (-1, 1).
struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
};

/// One step of Adam (Kingma & Ba 2015, arXiv:1412.6980), in place and fused with an exponential moving average:
///
///   g <- g + weight_decay p
///   m <- beta1 m + (1 - beta1) g                         v <- beta2 v + (1 - beta2) g^2
///   p <- p - scalars[0] m / (sqrt(v) scalars[1] + eps)   ema <- ema_decay ema + (1 - ema_decay) p
///
///   parameters, gradients, m, v   any shape of one count; f32, or f64 (cpu); gradients are not changed
///   v_max                         amsgrad: the largest v so far, which then takes v's place under the root; or absent
///   ema                           the average, or absent
///   scalars                       f64 [2]: lr / (1 - beta1^t) and 1 / sqrt(1 - beta2^t), t = 1 in the first step
///   halted                        f64 [1], read when the step's turn comes: unless it is 0, nothing changes; or absent
/// Errors: ShapeError, DTypeError, before anything runs; empty: no-op. Cost: 4 elements read and 3 written per
/// parameter, one more each for v_max and for ema; no workspace.
void adam(Stream& stream, View parameters, ConstView gradients, View m, View v, View v_max, View ema, double ema_decay,
          StepScalars scalars, const AdamOptions& options, StepScalars halted = {});

}  // namespace ascore::kernels
