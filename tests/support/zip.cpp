#include "tests/support/zip.hpp"

#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"

#include <cstdint>
#include <span>

namespace ascore::test {

namespace {

/// Little-endian, as zip has its numbers.
template <class T>
void put(std::vector<std::byte>& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::byte>(value >> (8 * i) & 255));
}

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) out.push_back(byte);
}

}  // namespace

std::vector<std::byte> zip(const std::map<std::string, std::vector<std::byte>>& entries) {
  std::vector<std::byte> archive, directory;
  for (const auto& [name, bytes] : entries) {
    const std::vector<std::byte> packed = deflate_raw(bytes);
    std::vector<std::byte> common;  // from "version needed" to "extra length"
    for (const int value : {20, 0, 8, 0, 0}) put(common, static_cast<uint16_t>(value));
    put(common, crc32(bytes));
    put(common, static_cast<uint32_t>(packed.size()));
    put(common, static_cast<uint32_t>(bytes.size()));
    put(common, static_cast<uint16_t>(name.size()));
    put(common, uint16_t{0});
    const auto offset = static_cast<uint32_t>(archive.size());
    put(archive, uint32_t{0x04034b50});
    append(archive, common);
    append(archive, std::as_bytes(std::span(name)));
    append(archive, packed);
    put(directory, uint32_t{0x02014b50});
    put(directory, uint16_t{20});
    append(directory, common);
    for (int zero = 0; zero < 5; ++zero) put(directory, uint16_t{0});
    put(directory, offset);
    append(directory, std::as_bytes(std::span(name)));
  }
  const auto begin = static_cast<uint32_t>(archive.size());
  append(archive, directory);
  put(archive, uint32_t{0x06054b50});
  put(archive, uint32_t{0});
  for (int twice = 0; twice < 2; ++twice) put(archive, static_cast<uint16_t>(entries.size()));
  put(archive, static_cast<uint32_t>(directory.size()));
  put(archive, begin);
  put(archive, uint16_t{0});
  return archive;
}

}  // namespace ascore::test
