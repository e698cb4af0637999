#pragma once

#include "engine/io/host_tensor.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ascore {

/// How a file stores an element. Files know more types than this house computes in.
struct StoredType {
  enum class Kind : uint8_t { floating, brain, integer, natural, truth };
  Kind kind = Kind::floating;
  uint8_t size = 4;  ///< in bytes
  bool big_endian = false;
  bool operator==(const StoredType&) const = default;
};

/// The narrowest element type of this house that holds every value of `stored`: f16 reads as f32; i8, i16 and u16 as
/// i32; u32 as i64; truth as u8. Nothing for u64 and for unknown sizes.
std::optional<DType> readable_as(StoredType stored);

/// Bytes of an array with these dimensions (none negative), nothing where they pass 2^60. Zeros do not hide an
/// overflow of the other dimensions.
std::optional<uint64_t> stored_bytes(std::span<const int64_t> dims, size_t element_size);

/// An array from the bytes of a file, which are as many as shape and type ask for (stored_bytes); `stored` is readable.
HostTensor from_stored(std::vector<std::byte> bytes, const Shape& shape, StoredType stored);

}  // namespace ascore
