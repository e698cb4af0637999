#pragma once

#include <cstdint>

namespace ascore {

/// What training does again in backward instead of keeping it from forward: nothing; what normalisations, and the
/// activations behind them, give out; or whole blocks. The results have the same bits.
enum class Recompute : uint8_t { none, norm, block };

}  // namespace ascore
