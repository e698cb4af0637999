#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ascore::tools {

/// The bytes that a size names: "24GiB", "1.5 GiB", "500MB", "4096". Units B, kB, MB, GB, KiB, MiB, GiB. Throws
/// ConfigError, naming `option`, for anything else and for sizes below one byte.
size_t parse_byte_size(std::string_view option, const std::string& text);

/// "3.25 GiB", "611.4 MiB", "512 B".
std::string shown_bytes(double bytes);

}  // namespace ascore::tools
