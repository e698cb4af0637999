#pragma once

#include "engine/data/encoded_images.hpp"

namespace ascore {

/// Images of the user's own: config.path is a folder (with all folders below it) or a .zip file; the shorter side is
/// resized to config.image_size and the middle cut out. config.test_fraction is held out.
std::unique_ptr<Dataset> open_image_files(const DataConfig& config, const Preparation& preparation, uint64_t seed);

/// The images of open_image_files, in the order of their names, encoded.
ImageSelection image_files_at(const std::string& path);

/// LSUN: config.path is a folder with one NAME_train_lmdb and its NAME_val_lmdb, or that NAME_train_lmdb; framed as
/// above.
std::unique_ptr<Dataset> open_lsun(const DataConfig& config, const Preparation& preparation, uint64_t seed);

/// FFHQ as an LMDB file: `length` holds the number of images, `{image_size}-{index:05d}` each of them at the size that
/// is asked for. config.test_fraction is held out.
std::unique_ptr<Dataset> open_ffhq(const DataConfig& config, const Preparation& preparation, uint64_t seed);

/// CelebA, aligned and cropped: config.path is the folder of list_eval_partition.txt and img_align_celeba. Partition 0
/// is trained on, 2 is the test part. The middle 140 pixels are resized to config.image_size.
std::unique_ptr<Dataset> open_celeba(const DataConfig& config, const Preparation& preparation, uint64_t seed);

}  // namespace ascore
