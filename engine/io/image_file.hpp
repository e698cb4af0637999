#pragma once

#include "engine/io/host_tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ascore {

/// The most pixels that an image may declare; looked at before memory is taken.
inline constexpr int64_t kMostPixels = int64_t{1} << 27;

/// Decodes PNG, JPEG, WebP, binary PPM or PGM, told apart by their first bytes, to u8 [H,W,channels] with 1 (grey) or 3
/// (RGB) channels. Grey becomes RGB by repetition, RGB grey by (19595 R + 38470 G + 7471 B + 32768) / 65536, as PIL
/// does; alpha is dropped, 16 bits become 8, an orientation noted in the file is not looked at. Throws DataError, which
/// begins with `what`: another format, more than kMostPixels declared, a file that is cut off or damaged (PNG: every
/// chunk's CRC-32 is checked); DeviceError for WebP in a build without it.
HostTensor decode_image(std::span<const std::byte> bytes, int channels, std::string_view what);

}  // namespace ascore
