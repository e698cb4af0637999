#pragma once

#include "engine/data/dataset.hpp"

namespace ascore {

/// CIFAR-10's binary version: config.path is what read_cifar10 takes.
std::unique_ptr<Dataset> open_cifar10(const DataConfig& config, const Preparation& preparation, uint64_t seed);

}  // namespace ascore
