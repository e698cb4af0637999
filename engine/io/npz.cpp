#include "engine/io/npz.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"
#include "engine/io/npy.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <limits>

#include <fmt/format.h>

namespace ascore {

static_assert(std::endian::native == std::endian::little, "zip headers are little-endian");

namespace {

// The zip format (PKWARE's APPNOTE.TXT): per entry a local header and its data, then a central directory, then its end.
constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr uint16_t kDay = (1 << 5) | 1;  // 1 January 1980, the earliest date that zip knows: no timestamp
constexpr uint32_t kZip64 = 0xffffffff;  // "see the zip64 field"

class Bytes {
 public:
  template <std::unsigned_integral T>
  Bytes& put(T value) {
    return put(std::as_bytes(std::span(&value, 1)));
  }
  Bytes& put(std::string_view text) { return put(std::as_bytes(std::span(text))); }
  Bytes& put(std::span<const std::byte> bytes) {
    data.insert(data.end(), bytes.begin(), bytes.end());
    return *this;
  }
  std::vector<std::byte> data;
};

uint32_t size32(size_t size, const std::filesystem::path& path) {
  if (size >= kZip64)
    throw DataError(fmt::format("{}: more than 4 GiB do not fit a zip file; write npy", path.string()));
  return static_cast<uint32_t>(size);
}

// Bounds-checked little-endian reading of a zip file in memory.
class Zip {
 public:
  Zip(std::vector<std::byte> bytes, const std::filesystem::path& path)
      : bytes_(std::move(bytes)), path_(path.string()) {}

  [[noreturn]] void fail(std::string_view what) const { throw DataError(fmt::format("{}: {}", path_, what)); }

  template <class T>
  T get(uint64_t offset) const {
    T value;
    std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> part(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) fail("a truncated or damaged zip file");
    return std::span(bytes_).subspan(offset, size);
  }
  std::string text(uint64_t offset, uint64_t size) const {
    const auto bytes = part(offset, size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // The end record lies in the last 64 KiB, before an optional comment.
  uint64_t end_record() const {
    if (bytes_.size() < kEndSize) fail("not an npz file (too short)");
    const uint64_t last = bytes_.size() - kEndSize, first = last > 65535 ? last - 65535 : 0;
    for (uint64_t offset = last + 1; offset-- > first;) {
      if (get<uint32_t>(offset) == kEnd && offset + kEndSize + get<uint16_t>(offset + 20) == bytes_.size())
        return offset;
    }
    fail("not an npz file, or a truncated one (no zip directory)");
  }
  const std::string& path() const { return path_; }

 private:
  std::vector<std::byte> bytes_;
  std::string path_;
};

// Sizes and the local offset of an entry; numpy writes zip64 fields for entries of unknown length.
struct Entry {
  uint64_t unpacked, packed, local;
};

Entry entry_of(const Zip& zip, uint64_t central, uint16_t name, uint16_t extra) {
  Entry entry{zip.get<uint32_t>(central + 24), zip.get<uint32_t>(central + 20), zip.get<uint32_t>(central + 42)};
  uint64_t field = central + kCentralSize + name;
  const uint64_t end = field + extra;
  while (field + 4 <= end) {
    const auto id = zip.get<uint16_t>(field), size = zip.get<uint16_t>(field + 2);
    if (id == 1) {
      uint64_t value = field + 4;
      for (uint64_t* member : {&entry.unpacked, &entry.packed, &entry.local}) {
        if (*member != kZip64) continue;
        if (value + 8 > field + 4 + size) zip.fail("a damaged zip64 field");
        *member = zip.get<uint64_t>(value);
        value += 8;
      }
    }
    field += 4u + size;
  }
  return entry;
}

}  // namespace

void write_npz(const std::filesystem::path& path, const NpzArrays& arrays, NpzPacking packing) {
  AtomicFile out(path);
  Bytes directory;
  size_t offset = 0;
  if (arrays.size() > 65535) throw DataError(fmt::format("{}: more than 65535 arrays", path.string()));
  for (const auto& [name, array] : arrays) {
    const std::string file = name + ".npy";
    if (file.size() > 65535) throw DataError(fmt::format("{}: an array's name is too long", path.string()));
    const std::vector<std::byte> plain = to_npy(array);
    const std::vector<std::byte> packed =
        packing == NpzPacking::deflated ? deflate_raw(plain) : std::vector<std::byte>();
    const std::vector<std::byte>& data = packing == NpzPacking::deflated ? packed : plain;
    Bytes common;                                   // from "version needed" to "extra length", the same in both headers
    common.put(uint16_t{20}).put(uint16_t{0x800});  // version 2.0; names are UTF-8
    common.put(packing == NpzPacking::deflated ? kDeflated : kStored).put(uint16_t{0}).put(kDay);
    common.put(crc32(plain)).put(size32(data.size(), path)).put(size32(plain.size(), path));
    common.put(static_cast<uint16_t>(file.size())).put(uint16_t{0});

    Bytes local;
    local.put(kLocal).put(common.data).put(file);
    directory.put(kCentral).put(uint16_t{20}).put(common.data);
    directory.put(uint16_t{0}).put(uint16_t{0}).put(uint16_t{0}).put(uint32_t{0}).put(size32(offset, path)).put(file);
    out.write(local.data);
    out.write(data);
    offset += local.data.size() + data.size();
  }
  const auto count = static_cast<uint16_t>(arrays.size());
  Bytes end;
  end.put(kEnd).put(uint16_t{0}).put(uint16_t{0}).put(count).put(count);
  end.put(size32(directory.data.size(), path)).put(size32(offset, path)).put(uint16_t{0});
  out.write(directory.data);
  out.write(end.data);
  out.commit();
}

std::map<std::string, HostTensor> read_npz(const std::filesystem::path& path) {
  const Zip zip(read_file(path), path);
  const uint64_t end = zip.end_record();
  const auto count = zip.get<uint16_t>(end + 10);
  uint64_t central = zip.get<uint32_t>(end + 16);
  if (count == 0xffff || central == kZip64) zip.fail("a zip64 archive, which this reader does not take");

  std::map<std::string, HostTensor> arrays;
  for (unsigned i = 0; i < count; ++i) {
    if (zip.get<uint32_t>(central) != kCentral) zip.fail("a damaged zip directory");
    const auto method = zip.get<uint16_t>(central + 10);
    const auto crc = zip.get<uint32_t>(central + 16);
    const auto name_size = zip.get<uint16_t>(central + 28), extra = zip.get<uint16_t>(central + 30);
    std::string name = zip.text(central + kCentralSize, name_size);
    const Entry entry = entry_of(zip, central, name_size, extra);
    const std::string what = fmt::format("{}: entry {}", zip.path(), name);

    if (zip.get<uint32_t>(entry.local) != kLocal) zip.fail(fmt::format("entry {} is not where it should be", name));
    const uint64_t begin =
        entry.local + kLocalSize + zip.get<uint16_t>(entry.local + 26) + zip.get<uint16_t>(entry.local + 28);
    const std::span<const std::byte> data = zip.part(begin, entry.packed);
    std::vector<std::byte> unpacked;
    if (method == kDeflated) {
      unpacked = inflate_raw(data, what, entry.unpacked);
    } else if (method == kStored && entry.packed == entry.unpacked) {
      unpacked.assign(data.begin(), data.end());
    } else {
      zip.fail(fmt::format("entry {} is packed by an unknown method", name));
    }
    if (crc32(unpacked) != crc) zip.fail(fmt::format("entry {} is damaged (its CRC-32 does not match)", name));
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    if (!arrays.emplace(name, from_npy(unpacked, what)).second) zip.fail(fmt::format("two entries {}", name));
    central += kCentralSize + name_size + extra + zip.get<uint16_t>(central + 32);
  }
  return arrays;
}

}  // namespace ascore
