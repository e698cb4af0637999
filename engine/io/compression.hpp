#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace ascore {

/// True for bytes that begin as gzip's do.
bool is_gzip(std::span<const std::byte> bytes);

/// Unpacks a .gz stream. `what` names it in errors. Throws DataError if it is damaged or more than `limit` bytes long.
std::vector<std::byte> gunzip(std::span<const std::byte> packed, std::string_view what, size_t limit);

/// Raw deflate, as zip entries hold it. Equal bytes give equal results (of one zlib).
std::vector<std::byte> deflate_raw(std::span<const std::byte> bytes);
/// The inverse, to exactly `size` bytes. Throws DataError.
std::vector<std::byte> inflate_raw(std::span<const std::byte> packed, std::string_view what, size_t size);

}  // namespace ascore
