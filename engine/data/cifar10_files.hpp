#pragma once

#include "engine/data/byte_images.hpp"

#include <filesystem>
#include <span>
#include <string_view>

namespace ascore {

/// The folder with data_batch_1.bin .. data_batch_5.bin (train) and test_batch.bin, or cifar-10-binary.tar.gz as it is
/// published. Throws DataError naming a file that is missing, of another size or with an impossible label.
ByteImageSplits read_cifar10(const std::filesystem::path& folder_or_archive);

/// An archive (.tar, .tar.gz) in memory that has the six files in any folder, of `records` each; other files are passed
/// over. `what` names it in errors.
ByteImageSplits from_cifar10_archive(std::span<const std::byte> archive, std::string_view what,
                                     int64_t records = 10'000);

/// One file of records: a label, then 32x32 red, green and blue planes; appended to `images` as NHWC. `records` is how
/// many the file must hold. Throws DataError.
void append_cifar10_file(const std::filesystem::path& file, int64_t records, ByteImages& images);

}  // namespace ascore
