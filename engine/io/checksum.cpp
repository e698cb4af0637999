#include "engine/io/checksum.hpp"

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

}  // namespace ascore
