#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>
#include <span>

namespace ascore::dist {

/// What the operations of every kind of communicator ask of their arguments. Throws ShapeError, DTypeError or
/// DeviceError, naming the operation.
void check_broadcast(const Stream& stream, ConstView view, int root, int size);
void check_all_reduce(const Stream& stream, ConstView view);
void check_all_gather(const Stream& stream, ConstView mine, ConstView all, std::span<const int64_t> counts, int rank,
                      int size);

/// Operations on host memory run at once: a captured step could not repeat them. Throws DeviceError during a capture.
void check_not_captured(const Stream& stream, const char* operation);

}  // namespace ascore::dist
