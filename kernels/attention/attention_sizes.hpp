#pragma once

#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Sizes of attention, as every backend sees them.
struct AttentionSizes {
  int64_t images;
  int queries, keys;           ///< of one image
  int key_width, value_width;  ///< elements of a key (and query), of a value
};

}  // namespace ascore::kernels
