#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ascore {

/// Text as HTML and SVG take it, between tags and in quoted attributes. Control characters, which neither may hold,
/// become blanks.
std::string escape_markup(std::string_view text);

/// RFC 4648, padded.
std::string to_base64(std::span<const std::byte> bytes);

}  // namespace ascore
