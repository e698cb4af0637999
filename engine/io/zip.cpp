#include "engine/io/zip.hpp"

#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include <fmt/format.h>

namespace ascore {

static_assert(std::endian::native == std::endian::little, "zip headers are little-endian");

namespace {

// PKWARE's APPNOTE.TXT: per member a local header and its data, then a central directory, then its end record; before
// that, where a number passes 32 bits (16 for the count), a zip64 end record and its locator.
constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;
constexpr uint16_t kStored = 0, kDeflated = 8, kEncrypted = 1;
constexpr uint32_t kSee64 = 0xffffffff;
constexpr uint16_t kSee64Count = 0xffff;

// Bounds-checked reading.
class Archive {
 public:
  Archive(std::span<const std::byte> bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  [[noreturn]] void fail(std::string_view reason) const { throw DataError(fmt::format("{}: {}", what_, reason)); }
  uint64_t size() const { return bytes_.size(); }

  template <class T>
  T get(uint64_t offset) const {
    T value;
    std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> part(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) fail("a truncated or damaged zip file");
    return bytes_.subspan(offset, size);
  }
  std::string text(uint64_t offset, uint64_t size) const {
    const auto bytes = part(offset, size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view what_;
};

struct Directory {
  uint64_t count, offset;
};

// The end record lies in the last 64 KiB, before an optional comment.
uint64_t end_record(const Archive& zip) {
  if (zip.size() < kEndSize) zip.fail("not a zip file (too short)");
  const uint64_t last = zip.size() - kEndSize, first = last > 65535 ? last - 65535 : 0;
  for (uint64_t offset = last + 1; offset-- > first;) {
    if (zip.get<uint32_t>(offset) == kEnd && offset + kEndSize + zip.get<uint16_t>(offset + 20) == zip.size())
      return offset;
  }
  zip.fail("not a zip file, or a truncated one (no directory)");
}

Directory directory_of(const Archive& zip) {
  const uint64_t end = end_record(zip);
  const auto count = zip.get<uint16_t>(end + 10);
  const auto offset = zip.get<uint32_t>(end + 16);
  if (count != kSee64Count && offset != kSee64) return {count, offset};
  if (end < kLocator64Size || zip.get<uint32_t>(end - kLocator64Size) != kLocator64) return {count, offset};
  const auto end64 = zip.get<uint64_t>(end - kLocator64Size + 8);
  zip.part(end64, kEnd64Size);  // before adding to it
  if (zip.get<uint32_t>(end64) != kEnd64) zip.fail("a damaged zip64 directory");
  return {zip.get<uint64_t>(end64 + 32), zip.get<uint64_t>(end64 + 48)};
}

// Sizes and place of a member; those that say kSee64 stand in the zip64 field, which numpy always writes.
struct Extent {
  uint64_t unpacked, packed, local;
};

Extent extent_of(const Archive& zip, uint64_t central, uint16_t name, uint16_t extra) {
  Extent extent{zip.get<uint32_t>(central + 24), zip.get<uint32_t>(central + 20), zip.get<uint32_t>(central + 42)};
  uint64_t field = central + kCentralSize + name;
  const uint64_t end = field + extra;
  while (field + 4 <= end) {
    const auto id = zip.get<uint16_t>(field), size = zip.get<uint16_t>(field + 2);
    if (id == 1) {
      uint64_t value = field + 4;
      for (uint64_t* member : {&extent.unpacked, &extent.packed, &extent.local}) {
        if (*member != kSee64) continue;
        if (value + 8 > field + 4 + size) zip.fail("a damaged zip64 field");
        *member = zip.get<uint64_t>(value);
        value += 8;
      }
    }
    field += 4u + size;
  }
  return extent;
}

// Overlapping members would make a small file unpack to any size.
void check_apart(const Archive& zip, std::vector<ZipMember> members) {
  std::ranges::sort(members, std::ranges::less{}, [](const ZipMember& m) { return m.packed.data(); });
  for (size_t i = 1; i < members.size(); ++i) {
    const ZipMember &before = members[i - 1], &after = members[i];
    if (before.packed.data() + before.packed.size() + kLocalSize > after.packed.data()) {
      zip.fail(fmt::format("entries {} and {} overlap", before.name, after.name));
    }
  }
}

}  // namespace

std::vector<ZipMember> zip_members(std::span<const std::byte> archive, std::string_view what) {
  const Archive zip(archive, what);
  const Directory directory = directory_of(zip);
  std::vector<ZipMember> members;
  std::set<std::string> names;
  uint64_t central = directory.offset;
  for (uint64_t i = 0; i < directory.count; ++i) {
    zip.part(central, kCentralSize);
    if (zip.get<uint32_t>(central) != kCentral) zip.fail("a damaged zip directory");
    ZipMember member;
    member.method = zip.get<uint16_t>(central + 10);
    member.crc = zip.get<uint32_t>(central + 16);
    const auto name_size = zip.get<uint16_t>(central + 28), extra = zip.get<uint16_t>(central + 30);
    member.name = zip.text(central + kCentralSize, name_size);
    if (zip.get<uint16_t>(central + 8) & kEncrypted) zip.fail(fmt::format("entry {} is encrypted", member.name));
    if (!names.insert(member.name).second) zip.fail(fmt::format("two entries {}", member.name));
    const Extent extent = extent_of(zip, central, name_size, extra);
    member.size = extent.unpacked;

    zip.part(extent.local, kLocalSize);
    if (zip.get<uint32_t>(extent.local) != kLocal) {
      zip.fail(fmt::format("entry {} is not where it should be", member.name));
    }
    const uint64_t begin =
        extent.local + kLocalSize + zip.get<uint16_t>(extent.local + 26) + zip.get<uint16_t>(extent.local + 28);
    member.packed = zip.part(begin, extent.packed);
    members.push_back(std::move(member));
    central += kCentralSize + name_size + extra + zip.get<uint16_t>(central + 32);
  }
  check_apart(zip, members);
  return members;
}

std::vector<std::byte> unpack(const ZipMember& member, std::string_view what) {
  const auto fail = [&](std::string_view reason) {
    throw DataError(fmt::format("{}: entry {} {}", what, member.name, reason));
  };
  std::vector<std::byte> bytes;
  if (member.method == kDeflated) {
    bytes = inflate_raw(member.packed, fmt::format("{}: entry {}", what, member.name), member.size);
  } else if (member.method == kStored && member.packed.size() == member.size) {
    bytes.assign(member.packed.begin(), member.packed.end());
  } else {
    fail("is packed by an unknown method");
  }
  if (crc32(bytes) != member.crc) fail("is damaged (its CRC-32 does not match)");
  return bytes;
}

}  // namespace ascore
