#pragma once

#include "engine/io/canvas.hpp"

#include <array>
#include <cstdint>

namespace ascore::tools {

/// One colour per memory kind, told apart on light and on dark ground; by the kind's place in the ledger's order.
inline Color colour_of(size_t kind) {
  constexpr std::array<Color, 8> kColours{{{0x35, 0x6a, 0xb0},
                                           {0xd9, 0x8c, 0x2b},
                                           {0x7a, 0x5a, 0xa8},
                                           {0xb8, 0x53, 0x53},
                                           {0x3d, 0x93, 0x6b},
                                           {0x8a, 0x8f, 0x98},
                                           {0x2f, 0x9f, 0xb5},
                                           {0xa0, 0xa0, 0x3a}}};
  return kColours[kind % kColours.size()];
}

}  // namespace ascore::tools
