#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace ascore {

/// Writes a picture, u8 [H,W,C] with 1 (grey), 3 (RGB) or 4 (RGBA) channels, atomically. Throws ShapeError, DTypeError,
/// DiskError.
void write_png(const std::filesystem::path& path, const HostTensor& picture);

/// The same in memory.
std::vector<std::byte> to_png(const HostTensor& picture);

/// Reads a picture as u8 [H,W,C]: grey with 1 channel, all else as RGB; an alpha channel is left out, 16 bits become 8.
/// Throws DataError with the path: missing, no PNG, damaged (every chunk's CRC-32 is checked), sides above 30,000,
/// more than 2^27 pixels or 2^30 bytes.
HostTensor read_png(const std::filesystem::path& path);
/// The same in memory; `what` names the data in errors.
HostTensor from_png(std::span<const std::byte> png, std::string_view what);

}  // namespace ascore
