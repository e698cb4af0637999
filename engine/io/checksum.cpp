#include "engine/io/checksum.hpp"

#include <array>

#include <fmt/format.h>
#include <zlib.h>

namespace ascore {

void Checksum::add(std::span<const std::byte> bytes) {
  value_ = static_cast<uint32_t>(crc32_z(value_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void Checksum::add(std::string_view text) {
  add(std::as_bytes(std::span(text)));
}

std::string Checksum::text() const {
  return fmt::format("{:08x}", value_);
}

uint32_t crc32(std::span<const std::byte> bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.value();
}

namespace {

/// What each byte does to the sum, from the reversed polynomial.
constexpr std::array<uint32_t, 256> castagnoli_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82f63b78u : 0u);
    table[byte] = value;
  }
  return table;
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr std::array<uint32_t, 256> kTable = castagnoli_table();
  uint32_t sum = ~uint32_t{0};
  for (const std::byte byte : bytes) sum = (sum >> 8) ^ kTable[(sum ^ static_cast<uint32_t>(byte)) & 0xff];
  return ~sum;
}

}  // namespace ascore
