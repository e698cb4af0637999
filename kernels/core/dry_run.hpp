#pragma once

#include "kernels/core/stream.hpp"

namespace ascore {

/// The order (StreamOptions::schedule) of a dry stream: nothing runs in it. A program goes through all its motions on
/// such a stream, on shapes alone: operations check their arguments and ask for workspaces, tensors come and go, but no
/// kernel runs and no element is read or written (what is copied to the host stays as it was). Its device need not be
/// present: `Stream(Device::cuda, {.schedule = kNothingRuns})` works on any machine, and asks for what a Hopper GPU
/// would. Tensors come from an allocator whose addresses are only counted (PoolOptions::dry).
inline constexpr uint64_t kNothingRuns = ~uint64_t{0};

inline bool is_dry(const Stream& stream) {
  return stream.schedule() == kNothingRuns;
}

}  // namespace ascore
