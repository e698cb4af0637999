#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ascore {

/// CRC-32 (zlib's, as in zip and PNG): finds damage, does not resist malice.
uint32_t crc32(std::span<const std::byte> bytes);

/// CRC-32C (Castagnoli's polynomial, as in TFRecords).
uint32_t crc32c(std::span<const std::byte> bytes);

/// A running CRC-32 over parts, equal to that of their concatenation.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  uint32_t value() const { return value_; }
  /// Eight hexadecimal digits.
  std::string text() const;

 private:
  uint32_t value_ = 0;
};

}  // namespace ascore
