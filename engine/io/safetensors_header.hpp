#pragma once

#include "engine/io/stored_type.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ascore {

/// One array of a safetensors file, as its header describes it.
struct SafetensorsEntry {
  std::string name;
  Shape shape;
  StoredType type;
  uint64_t begin = 0, end = 0;  ///< in the buffer that follows the header
};

/// The header of a safetensors file, checked.
struct SafetensorsHeader {
  static constexpr uint64_t kMostBytes = 100'000'000;
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsEntry> entries;  ///< by offset: they cover the buffer without gap or overlap
};

/// Reads the header's JSON for a buffer of `buffer` bytes. Throws DataError, which begins with `what`.
SafetensorsHeader parse_safetensors_header(std::string_view text, uint64_t buffer, const std::string& what);

/// The name that the format gives an element type ("F32", "BF16", ...).
const char* safetensors_name(DType dtype);

}  // namespace ascore
