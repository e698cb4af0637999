#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// The type of all that networks read and optimizers write in this context: parameters, gradients, averages, batches,
/// a sampler's state. f32 under activations of f32 or bf16; f64 (cpu) where networks compute in f64.
inline DType master_type(const Ctx& ctx) {
  return ctx.compute == DType::f64 ? DType::f64 : DType::f32;
}

}  // namespace ascore
