#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace ascore {

/// Images as an array, each with its class (all 0 where nobody says).
struct LabelledImages {
  HostTensor images;            ///< [N,H,W,C], u8 or f32 in [0,1]
  std::vector<int64_t> labels;  ///< [N], 0 to 65535
};

/// Images of a file that is ready to train from.
struct ImageArrays {
  LabelledImages train;
  std::optional<LabelledImages> test;
};

/// Reads .npy: one array of images [N,H,W,C] or [N,H,W]; or .npz: `images` (or `arr_0`, as ascore sample writes), and
/// where they are there `labels`, `test_images`, `test_labels`. Images are u8, or f32 in [0,1]; labels are integers.
/// Throws DataError with the path.
ImageArrays read_image_arrays(const std::filesystem::path& path);

/// Writes what read_image_arrays reads, as .npz. Throws DiskError.
void write_image_arrays(const std::filesystem::path& path, const ImageArrays& arrays);

/// Reads a folder or .zip of image files, as the data set `folder` does, to u8 images of `image_size` pixels a side and
/// 1 or 3 channels, in the order of their names, without a test part. Throws DataError, ConfigError.
ImageArrays import_image_files(const std::filesystem::path& source, int image_size, int channels);

/// Reads images from what they are published as: a folder of MNIST's idx files, a folder or archive of CIFAR-10's
/// binary version, an idx file (images only), .npy or .npz. What a file is, its content tells. Throws DataError.
ImageArrays import_images(const std::filesystem::path& source);

}  // namespace ascore
