#include "tests/support/gzip.hpp"

#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"

#include <cstdint>

namespace ascore::test {

std::vector<std::byte> gzip(std::span<const std::byte> bytes) {
  // RFC 1952: magic, deflate, no flags, no time, no hints, unknown system; then CRC-32 and length.
  const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  std::vector<std::byte> result;
  const auto add = [&](std::span<const std::byte> part) { result.insert(result.end(), part.begin(), part.end()); };
  const uint32_t trailer[] = {crc32(bytes), static_cast<uint32_t>(bytes.size())};
  add(std::as_bytes(std::span(header)));
  add(deflate_raw(bytes));
  add(std::as_bytes(std::span(trailer)));
  return result;
}

}  // namespace ascore::test
