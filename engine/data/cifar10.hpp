#pragma once

#include "engine/data/byte_images.hpp"

#include <filesystem>

namespace ascore {

/// CIFAR-10's binary version: config.path is the folder with data_batch_1.bin .. data_batch_5.bin (train) and
/// test_batch.bin. Throws DataError naming a file that is missing or has another size.
std::unique_ptr<Dataset> open_cifar10(const DataConfig& config, const Preparation& preparation, uint64_t seed);

/// One file of records: a label, then 32x32 red, green and blue planes; appended to `images` as NHWC. `records` is how
/// many the file must hold. Throws DataError.
void append_cifar10_file(const std::filesystem::path& file, int64_t records, ByteImages& images);

}  // namespace ascore
