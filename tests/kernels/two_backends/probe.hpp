#pragma once

#include "kernels/core/stream.hpp"

/// Fills out[0..63] with the sum 0 + 1 + ... + 63, by a kernel that goes through every door whose body differs between
/// the backends: launch, static and dynamic shared memory, barriers, shuffles, block reductions.
namespace ascore::kernels::simt {
void probe(Stream& stream, float* out);
}
namespace ascore::kernels::cuda {
void probe(Stream& stream, float* out);
}
