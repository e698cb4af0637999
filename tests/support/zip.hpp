#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace ascore::test {

/// A zip archive of these entries, packed by deflate, in the order of their names.
std::vector<std::byte> zip(const std::map<std::string, std::vector<std::byte>>& entries);

}  // namespace ascore::test
