#include "engine/io/stored_type.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace ascore {

namespace {

using Kind = StoredType::Kind;

// IEEE binary16, kept apart from uint16_t.
struct Half {
  uint16_t bits;
};

float widen(Half half) {
  const float sign = half.bits >> 15 ? -1.0f : 1.0f;
  const int exponent = half.bits >> 10 & 31, mantissa = half.bits & 1023;
  if (exponent == 31)
    return sign * (mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity());
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                               : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25));
}

template <class T>
T widen(T value) {
  return value;
}

template <class From, class To>
void convert(std::span<const std::byte> from, HostTensor& to) {
  const std::span<To> values = to.as<To>();
  for (size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, from.data() + i * sizeof value, sizeof value);
    values[i] = static_cast<To>(widen(value));
  }
}

struct Row {
  Kind kind;
  uint8_t size;
  DType dtype;
  void (*convert)(std::span<const std::byte>, HostTensor&);  // none where the bytes stay
};
constexpr Row kRows[] = {
    {Kind::floating, 8, DType::f64, nullptr},
    {Kind::floating, 4, DType::f32, nullptr},
    {Kind::floating, 2, DType::f32, convert<Half, float>},
    {Kind::brain, 2, DType::bf16, nullptr},
    {Kind::integer, 8, DType::i64, nullptr},
    {Kind::integer, 4, DType::i32, nullptr},
    {Kind::integer, 2, DType::i32, convert<int16_t, int32_t>},
    {Kind::integer, 1, DType::i32, convert<int8_t, int32_t>},
    {Kind::natural, 4, DType::i64, convert<uint32_t, int64_t>},
    {Kind::natural, 2, DType::i32, convert<uint16_t, int32_t>},
    {Kind::natural, 1, DType::u8, nullptr},
    {Kind::truth, 1, DType::u8, nullptr},
};

const Row* row_of(StoredType stored) {
  const auto* row =
      std::ranges::find_if(kRows, [&](const Row& r) { return r.kind == stored.kind && r.size == stored.size; });
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace

std::optional<DType> readable_as(StoredType stored) {
  const Row* row = row_of(stored);
  return row ? std::optional(row->dtype) : std::nullopt;
}

std::optional<uint64_t> stored_bytes(std::span<const int64_t> dims, size_t element_size) {
  constexpr uint64_t kMost = uint64_t{1} << 60;
  uint64_t bytes = element_size;
  bool empty = false;
  for (const int64_t d : dims) {
    const auto dim = static_cast<uint64_t>(d);
    empty = empty || dim == 0;
    if (dim != 0 && bytes > kMost / dim) return std::nullopt;
    bytes *= std::max<uint64_t>(dim, 1);
  }
  return empty ? 0 : bytes;
}

HostTensor from_stored(std::vector<std::byte> bytes, const Shape& shape, StoredType stored) {
  static_assert(std::endian::native == std::endian::little, "the bytes of little-endian files are taken as they are");
  const Row& row = *row_of(stored);
  if (stored.big_endian && stored.size > 1) {
    for (auto at = bytes.begin(); at != bytes.end(); at += stored.size) std::reverse(at, at + stored.size);
  }
  if (row.convert) {
    HostTensor x(shape, row.dtype);
    row.convert(bytes, x);
    return x;
  }
  HostTensor x;
  x.shape = shape;
  x.dtype = row.dtype;
  x.bytes = std::move(bytes);
  return x;
}

}  // namespace ascore
