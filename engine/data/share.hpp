#pragma once

#include <cstdint>

namespace ascore {

/// A part of consecutive samples, or tiles of samples.
struct Share {
  int64_t first = 0, count = 0;
};

/// The part of `all` that rank `rank` of `ranks` takes: parts follow one another in the order of ranks, and their sizes
/// differ by one at most, the larger ones first. 0 <= rank < ranks.
inline Share share_of(int64_t all, int rank, int ranks) {
  const int64_t each = all / ranks, larger = all % ranks;
  return {.first = rank * each + (rank < larger ? rank : larger), .count = each + (rank < larger ? 1 : 0)};
}

}  // namespace ascore
