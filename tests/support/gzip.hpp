#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ascore::test {

/// A .gz of `bytes`, as the program gzip makes it (without name and time).
std::vector<std::byte> gzip(std::span<const std::byte> bytes);

}  // namespace ascore::test
