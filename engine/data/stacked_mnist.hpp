#pragma once

#include "engine/data/dataset.hpp"

namespace ascore {

/// Stacked-MNIST: 28x28 RGB images whose red, green and blue are three independent digits, so that there are 1000
/// modes; the label is 100 red + 10 green + blue. config.path is the folder that read_mnist takes. There are as many
/// samples as MNIST has images, 60,000 train and 10,000 test; which digits sample i stacks (drawn with replacement, of
/// its own split) is a pure function of seed and i.
std::unique_ptr<Dataset> open_stacked_mnist(const DataConfig& config, const Preparation& preparation, uint64_t seed);

}  // namespace ascore
