#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <vector>

namespace ascore {

/// Writes a picture, u8 [H,W,C] with 1 (grey), 3 (RGB) or 4 (RGBA) channels, atomically. Throws ShapeError, DTypeError,
/// DiskError.
void write_png(const std::filesystem::path& path, const HostTensor& picture);

/// The same in memory.
std::vector<std::byte> to_png(const HostTensor& picture);

}  // namespace ascore
