#pragma once

#include "engine/data/dataset.hpp"

namespace ascore {

/// 1,797 handwritten digits of 8x8 pixels in 17 grey levels, embedded in the program (engine/data/digits). The test
/// part is the last config.test_fraction of an order that is the same for every seed, so that runs can be compared.
std::unique_ptr<Dataset> open_digits(const DataConfig& config, const Preparation& preparation, uint64_t seed);

}  // namespace ascore
