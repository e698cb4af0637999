#include "engine/io/tar.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace ascore {

namespace {

// POSIX.1-1988 ustar, in blocks of 512 bytes: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1,
// link 100, magic 6, version 2, owner 32, group 32, devices 16, prefix 155.
constexpr size_t kBlock = 512;
constexpr size_t kName = 0, kSize = 124, kChecksum = 148, kType = 156, kMagic = 257, kPrefix = 345;

std::string_view field(std::string_view block, size_t offset, size_t length) {
  const std::string_view whole = block.substr(offset, length);
  return whole.substr(0, std::min(whole.find('\0'), whole.size()));
}

// Octal digits between spaces; nothing for anything else (GNU's binary sizes, of 8 GiB and more, too).
std::optional<uint64_t> octal(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first);
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = 8 * value + static_cast<uint64_t>(c - '0');  // 12 digits at most
  }
  return value;
}

// The sum of the header's bytes, with its own field counted as spaces.
uint64_t checksum(std::string_view block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    sum += i >= kChecksum && i < kChecksum + 8 ? uint8_t{' '} : static_cast<uint8_t>(block[i]);
  }
  return sum;
}

std::string full_name(std::string_view block) {
  const std::string name(field(block, kName, 100));
  const bool ustar = block.substr(kMagic, 6) == std::string_view("ustar\0", 6);
  const std::string_view prefix = ustar ? field(block, kPrefix, 155) : std::string_view{};
  return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
}

}  // namespace

std::vector<TarMember> tar_members(std::span<const std::byte> archive, std::string_view what) {
  const std::string_view text(reinterpret_cast<const char*>(archive.data()), archive.size());
  const auto fail = [&](const std::string& reason) { throw DataError(fmt::format("{}: {}", what, reason)); };
  std::vector<TarMember> members;
  for (size_t at = 0;;) {
    if (text.size() - at < kBlock) fail("a truncated tar archive (it has no end)");
    const std::string_view block = text.substr(at, kBlock);
    if (block.find_first_not_of('\0') == std::string_view::npos) return members;
    if (octal(field(block, kChecksum, 8)) != checksum(block)) {
      fail(at == 0 ? "not a tar archive" : fmt::format("a damaged tar header at byte {}", at));
    }
    at += kBlock;
    const std::string name = full_name(block);
    const auto size = octal(field(block, kSize, 12));
    if (!size) fail(fmt::format("member {} has no readable size", name));
    if (*size > text.size() - at) fail(fmt::format("member {} is cut off: the archive is truncated", name));
    const char type = block[kType];
    if (type == '0' || type == '\0') members.push_back({name, archive.subspan(at, *size)});
    const size_t padded = (*size + kBlock - 1) / kBlock * kBlock;
    if (padded > text.size() - at) fail("a truncated tar archive (it has no end)");
    at += padded;
  }
}

}  // namespace ascore
