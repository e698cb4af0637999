#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

struct SgdOptions {
  double momentum = 0, weight_decay = 0;
};

/// One step of stochastic gradient descent with momentum, in place and fused with an exponential moving average:
///
///   g <- g + weight_decay p;   b <- momentum b + g;   p <- p - scalars[0] b
///
///   parameters, gradients, b   any shape of one count; f32, or f64 (cpu); gradients are not changed; b starts at zero,
///                              so that the first step goes along g itself
///   ema, ema_decay             as in kernels/adam
///   scalars                    f64 [1]: the learning rate
///   halted                     as in kernels/adam
/// Errors: ShapeError, DTypeError, before anything runs; empty: no-op. Cost: 3 elements read and 2 written per
/// parameter, one more each for ema; no workspace.
void sgd(Stream& stream, View parameters, ConstView gradients, View b, View ema, double ema_decay, StepScalars scalars,
         const SgdOptions& options, StepScalars halted = {});

}  // namespace ascore::kernels
