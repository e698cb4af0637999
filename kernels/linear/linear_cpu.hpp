#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// oneDNN's side of linear on the cpu (f32, bf16). Arguments as linear.hpp has them, and checked. False, and nothing
/// done, where it has no kernel of its own for the shape on this processor, or is not part of this build.
namespace ascore::kernels::cpu {

bool library_linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, View y);
bool library_linear_dgrad(Stream& stream, ConstView dy, ConstView weight, View dx);
bool library_linear_wgrad(Stream& stream, ConstView x, ConstView dy, View dweight);

}  // namespace ascore::kernels::cpu
