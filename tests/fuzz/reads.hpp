#pragma once

#include "kernels/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace ascore::fuzz {

/// Gives the fuzzer's bytes to a reader. A reader may refuse them with a DataError or a ConfigError; whatever else it
/// throws is a fault, and ends the fuzzer.
template <class Reader>
int reads(const uint8_t* data, size_t size, Reader reader) {
  try {
    reader(std::as_bytes(std::span(data, size)));
  } catch (const DataError&) {
  } catch (const ConfigError&) {
  }
  return 0;
}

}  // namespace ascore::fuzz
