#pragma once

#include "engine/io/host_tensor.hpp"

namespace ascore {

/// How make_grid lays out pictures.
struct GridLayout {
  int64_t columns = 0;     ///< 0: as square as it gets
  int64_t gap = 2;         ///< pixels between pictures and around them
  int64_t min_side = 64;   ///< smaller pictures are enlarged by a whole factor until both sides reach this
  uint8_t gap_value = 96;  ///< grey of the gaps and of unused places
};

/// Images u8 [N,H,W,C] (1 or 3 channels) as one picture [H',W',C], in reading order. Throws ShapeError (also for no
/// images), DTypeError.
HostTensor make_grid(const HostTensor& images, const GridLayout& layout = {});

}  // namespace ascore
