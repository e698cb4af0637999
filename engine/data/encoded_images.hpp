#pragma once

#include "engine/data/dataset.hpp"
#include "engine/data/image_source.hpp"
#include "engine/io/host_tensor.hpp"

#include <memory>
#include <vector>

namespace ascore {

/// Some images of a source, in this order.
struct ImageSelection {
  std::shared_ptr<const ImageSource> source;
  std::vector<int64_t> places;
};

/// All images of a source. Throws DataError if it has none (`what` says where they were looked for).
ImageSelection all_images(std::shared_ptr<const ImageSource> source, const std::string& what);

/// How an image of any size becomes one of the size that the recipe says.
enum class Framing : uint8_t {
  resize_crop,     ///< resized until one side fits and the other is long enough, then the middle cut out
  crop_140_resize  ///< the middle 140 pixels, resized (CelebA)
};

/// Decodes one image and frames it to u8 of `shape` [H,W,C]. Throws DataError that names it.
HostTensor decode_framed(const ImageSource& source, int64_t place, Framing framing, const Shape& shape);

/// Images that stay encoded and are decoded whenever a sample is read: they need no memory, and a broken one is a
/// DataError that names it when it is read. With config.skip_broken all are decoded once here, those that are broken
/// are left out, and a notice tells how many. Labels are 0. Throws ConfigError without config.image_size, or for
/// channels but 1 and 3 (0: 3).
std::unique_ptr<Dataset> encoded_images(const DataConfig& config, const Preparation& preparation, uint64_t seed,
                                        ImageSelection train, ImageSelection test, Framing framing);

/// The same, where config.test_fraction of `all` is held out.
std::unique_ptr<Dataset> encoded_images(const DataConfig& config, const Preparation& preparation, uint64_t seed,
                                        const ImageSelection& all, Framing framing);

}  // namespace ascore
