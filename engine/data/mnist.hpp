#pragma once

#include "engine/data/byte_images.hpp"

#include <filesystem>

namespace ascore {

/// MNIST: config.path is the folder that read_mnist takes, config.image_size 28 (or 0), or 32.
std::unique_ptr<Dataset> open_mnist(const DataConfig& config, const Preparation& preparation, uint64_t seed);

/// The folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte,
/// each as it is or with .gz (the first where both exist); the split is the published one. With `image_size` 32 two
/// black pixels are added on every side. Throws DataError naming a file that is missing or broken, ConfigError for
/// another size.
ByteImageSplits read_mnist(const std::filesystem::path& folder, int image_size = 28);

/// True if the folder has MNIST's training images.
bool is_mnist_folder(const std::filesystem::path& folder);

}  // namespace ascore
