#include "engine/io/npz.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"
#include "engine/io/npy.hpp"
#include "engine/io/zip.hpp"
#include "kernels/core/error.hpp"

#include <bit>
#include <concepts>

#include <fmt/format.h>

namespace ascore {

static_assert(std::endian::native == std::endian::little, "zip headers are little-endian");

namespace {

// See zip.cpp for the format.
constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr uint16_t kDay = (1 << 5) | 1;  // 1 January 1980, the earliest date that zip knows: no timestamp
constexpr uint32_t kZip64 = 0xffffffff;  // means "see the zip64 field": sizes end before it

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

std::map<std::string, HostTensor> from_npz(std::span<const std::byte> bytes, std::string_view what) {
  std::map<std::string, HostTensor> arrays;
  for (const ZipMember& member : zip_members(bytes, what)) {
    std::string name = member.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    HostTensor array = from_npy(unpack(member, what), fmt::format("{}: entry {}", what, member.name));
    if (!arrays.emplace(name, std::move(array)).second) throw DataError(fmt::format("{}: two arrays {}", what, name));
  }
  return arrays;
}

std::map<std::string, HostTensor> read_npz(const std::filesystem::path& path) {
  return from_npz(read_file(path), path.string());
}

}  // namespace ascore
