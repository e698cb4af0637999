#include "engine/data/cifar10.hpp"

#include "engine/data/cifar10_files.hpp"
#include "kernels/core/error.hpp"

namespace ascore {

std::unique_ptr<Dataset> open_cifar10(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) {
    throw ConfigError("data.path: cifar10 needs the folder of its .bin files, or their .tar.gz");
  }
  ByteImageSplits splits = read_cifar10(config.path);
  return std::make_unique<ByteImageDataset>(splits.sample_shape, std::move(splits.train), std::move(splits.test),
                                            255.0f, preparation, seed);
}

}  // namespace ascore
