#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ascore {

/// Writes a protocol buffer (protobuf.dev/programming-guides/encoding), field by field.
class ProtobufWriter {
 public:
  void integer(uint32_t field, uint64_t value);
  void number(uint32_t field, double value);
  void number(uint32_t field, float value);
  /// Text, bytes, or a message that another writer has made.
  void bytes(uint32_t field, std::span<const std::byte> value);
  void text(uint32_t field, std::string_view value);

  const std::vector<std::byte>& made() const { return bytes_; }

 private:
  void key(uint32_t field, uint32_t wire_type);
  void varint(uint64_t value);
  template <class T>
  void fixed(T value);
  std::vector<std::byte> bytes_;
};

/// The integer in a message's top-level field `field`; 0, the default of the format, where it has none. Nothing where
/// the bytes are no message.
std::optional<uint64_t> protobuf_integer(std::span<const std::byte> message, uint32_t field);

}  // namespace ascore
