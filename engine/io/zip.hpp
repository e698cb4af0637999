#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ascore {

/// One file of a zip archive that lies in memory.
struct ZipMember {
  std::string name;
  uint16_t method = 0;  ///< 0: stored, 8: deflated
  uint32_t crc = 0;
  uint64_t size = 0;  ///< unpacked
  std::span<const std::byte> packed;
};

/// The members of an archive, in the order of its directory; zip64 records are understood. Throws DataError (which
/// begins with `what`) for a damaged directory, members that overlap, encryption and a repeated name.
std::vector<ZipMember> zip_members(std::span<const std::byte> archive, std::string_view what);

/// A member's bytes, whose length and CRC-32 are checked. Throws DataError.
std::vector<std::byte> unpack(const ZipMember& member, std::string_view what);

}  // namespace ascore
