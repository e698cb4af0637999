#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore {

/// Memory of `device`, aligned to 256 bytes, uninitialised. Throws OutOfMemoryError. Only allocators call this.
void* device_allocate(Device device, size_t bytes);
/// Gives memory of device_allocate back; null is ignored.
void device_free(Device device, void* memory) noexcept;

/// Copies elements between views of one dtype and count, on any two devices of which `stream` is one (the other may be
/// host memory: cpu or simt). Complete on return if host memory takes part, else queued on the stream. Throws
/// ShapeError or DTypeError on a mismatch, DeviceError for host memory during a capture (Graph).
void copy(Stream& stream, View to, ConstView from);

/// Sets every byte of `view` to `value`. Queued on the stream.
void fill_bytes(Stream& stream, View view, unsigned char value);

}  // namespace ascore
