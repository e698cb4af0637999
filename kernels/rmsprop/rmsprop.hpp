#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

struct RmspropOptions {
  double alpha = 0.99, eps = 1e-8, weight_decay = 0;
};

/// One step of RMSProp, in place and fused with an exponential moving average:
///
///   g <- g + weight_decay p;   v <- alpha v + (1 - alpha) g^2;   p <- p - scalars[0] g / (sqrt(v) + eps)
///
///   parameters, gradients, v   any shape of one count; f32, or f64 (cpu); gradients are not changed
///   ema, ema_decay             as in kernels/adam
///   scalars                    f64 [1]: the learning rate
///   halted                     as in kernels/adam
/// Errors: ShapeError, DTypeError, before anything runs; empty: no-op. Cost: 3 elements read and 2 written per
/// parameter, one more each for ema; no workspace.
void rmsprop(Stream& stream, View parameters, ConstView gradients, View v, View ema, double ema_decay,
             StepScalars scalars, const RmspropOptions& options, StepScalars halted = {});

}  // namespace ascore::kernels
