#pragma once

#include <cstdint>
#include <limits>

#include <CLI/CLI.hpp>

namespace ascore::tools {

/// Checks of option values whose messages can be read: CLI11's own print bounds of three hundred digits.
/// A whole decimal number in [low, high].
CLI::Validator whole_number(int64_t low, int64_t high = std::numeric_limits<int64_t>::max());
/// A finite number above 0.
CLI::Validator positive_number();

}  // namespace ascore::tools
