#include "engine/io/protobuf.hpp"

#include <bit>
#include <cstring>

namespace ascore {

static_assert(std::endian::native == std::endian::little, "fixed-size fields are little-endian");

namespace {

constexpr uint32_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

/// Takes a varint off the front; nothing if it does not end.
std::optional<uint64_t> take_varint(std::span<const std::byte>& rest) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(rest.front());
    rest = rest.subspan(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace

void ProtobufWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<std::byte>(value | 0x80));
  bytes_.push_back(static_cast<std::byte>(value));
}

void ProtobufWriter::key(uint32_t field, uint32_t wire_type) {
  varint(field << 3 | wire_type);
}

template <class T>
void ProtobufWriter::fixed(T value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes_.insert(bytes_.end(), raw.begin(), raw.end());
}

void ProtobufWriter::integer(uint32_t field, uint64_t value) {
  key(field, kVarint);
  varint(value);
}

void ProtobufWriter::number(uint32_t field, double value) {
  key(field, kFixed64);
  fixed(value);
}

void ProtobufWriter::number(uint32_t field, float value) {
  key(field, kFixed32);
  fixed(value);
}

void ProtobufWriter::bytes(uint32_t field, std::span<const std::byte> value) {
  key(field, kBytes);
  varint(value.size());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
}

void ProtobufWriter::text(uint32_t field, std::string_view value) {
  bytes(field, std::as_bytes(std::span(value)));
}

std::optional<uint64_t> protobuf_integer(std::span<const std::byte> message, uint32_t field) {
  uint64_t result = 0;
  while (!message.empty()) {
    const auto key = take_varint(message);
    if (!key) return std::nullopt;
    size_t skipped = 0;
    switch (*key & 7) {
      case kVarint: {
        const auto value = take_varint(message);
        if (!value) return std::nullopt;
        if (*key >> 3 == field) result = *value;
        break;
      }
      case kFixed64:
        skipped = 8;
        break;
      case kFixed32:
        skipped = 4;
        break;
      case kBytes: {
        const auto size = take_varint(message);
        if (!size || *size > message.size()) return std::nullopt;
        skipped = static_cast<size_t>(*size);
        break;
      }
      default:
        return std::nullopt;
    }
    if (skipped > message.size()) return std::nullopt;
    message = message.subspan(skipped);
  }
  return result;
}

}  // namespace ascore
