#pragma once

#include "engine/io/host_tensor.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace ascore {

/// True for bytes that begin as a binary PGM (P5) or PPM (P6) file does.
bool is_pnm(std::span<const std::byte> bytes);

/// Height and width that the header declares. Throws DataError (which begins with `what`).
std::array<int64_t, 2> pnm_size(std::span<const std::byte> bytes, std::string_view what);

/// Decodes to u8 [H,W,1] (PGM) or [H,W,3] (PPM); values up to 65535 are scaled to 0..255 and rounded. Throws DataError,
/// also where pixels are missing.
HostTensor from_pnm(std::span<const std::byte> bytes, std::string_view what);

}  // namespace ascore
