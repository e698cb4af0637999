#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ascore {

/// A regular file of a tar archive that lies in memory.
struct TarMember {
  std::string name;  ///< as the archive gives it, with folders
  std::span<const std::byte> bytes;
};

/// The regular files of an archive (v7, ustar, GNU, pax), in its order; folders, links and extended headers are passed
/// over, so that names beyond 255 characters come out shortened. Throws DataError (which begins with `what`): a wrong
/// header checksum, a size that is no octal number, a member that is cut off, no end.
std::vector<TarMember> tar_members(std::span<const std::byte> archive, std::string_view what);

}  // namespace ascore
