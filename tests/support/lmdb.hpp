#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ascore::test {

/// Makes `folder` and in it an LMDB file of these entries. Throws in a build without LMDB (kLmdbBuilt).
void write_lmdb(const std::filesystem::path& folder, const std::map<std::string, std::vector<std::byte>>& entries);

}  // namespace ascore::test
