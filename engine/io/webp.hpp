#pragma once

#include "engine/io/host_tensor.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace ascore {

/// This build reads WebP (libwebp was found).
extern const bool kWebpBuilt;

/// Height and width that a WebP file declares. Throws DataError (which begins with `what`) if it is none, or moves;
/// DeviceError if this build has no WebP.
std::array<int64_t, 2> webp_size(std::span<const std::byte> bytes, std::string_view what);

/// Decodes to u8 [H,W,3]; alpha is dropped. Throws as webp_size does.
HostTensor from_webp(std::span<const std::byte> bytes, std::string_view what);

}  // namespace ascore
