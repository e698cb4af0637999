#pragma once

#include <algorithm>
#include <cstddef>

namespace ascore {

/// Bytes of host memory that the cpu side of products keeps with a stream beside tensors: packed weights, widened
/// operands, scratch of the library. `stream.attached<LibraryMemory>()`; counted on dry streams too.
struct LibraryMemory {
  size_t live = 0, peak = 0;

  void add(size_t bytes) {
    live += bytes;
    peak = std::max(peak, live);
  }
  void remove(size_t bytes) { live -= bytes; }
};

}  // namespace ascore
