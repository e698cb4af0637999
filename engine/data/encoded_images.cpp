#include "engine/data/encoded_images.hpp"

#include "engine/data/hold_out.hpp"
#include "engine/data/resize.hpp"
#include "engine/io/image_file.hpp"
#include "kernels/core/error.hpp"

#include <exception>
#include <numeric>
#include <optional>

#include <fmt/format.h>

namespace ascore {

namespace {

HostTensor framed(const HostTensor& image, Framing framing, int64_t height, int64_t width) {
  constexpr int64_t kFace = 140;
  if (framing == Framing::crop_140_resize) return resize_bilinear(center_crop(image, kFace, kFace), height, width);
  return center_crop(resize_to_cover(image, height, width), height, width);
}

class EncodedImages final : public Dataset {
 public:
  EncodedImages(const Shape& shape, const DataConfig& config, const Preparation& preparation, uint64_t seed,
                ImageSelection train, ImageSelection test, Framing framing)
      : Dataset(shape, preparation, seed), train_(std::move(train)), test_(std::move(test)), framing_(framing) {
    if (config.skip_broken) skip_broken();
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(part(split).places.size()); }
  int64_t label(Split, int64_t) const override { return 0; }

 protected:
  void load(Split split, int64_t index, float* out) const override {
    const HostTensor image = decoded(part(split), part(split).places.at(static_cast<size_t>(index)));
    for (const uint8_t pixel : image.as<uint8_t>()) *out++ = static_cast<float>(pixel) / 255.0f;
  }

 private:
  const ImageSelection& part(Split split) const { return split == Split::train ? train_ : test_; }

  HostTensor decoded(const ImageSelection& images, int64_t place) const {
    return decode_framed(*images.source, place, framing_, sample_shape());
  }

  /// What is wrong with an image; nothing if it can be read.
  std::optional<std::string> fault(const ImageSelection& images, int64_t place) const {
    try {
      decoded(images, place);
      return std::nullopt;
    } catch (const DataError& error) {
      return error.what();
    }
  }

  /// Faults of all images, on every core. What is no fault of an image (no memory, no WebP) is thrown on.
  std::vector<std::optional<std::string>> faults(const ImageSelection& images) const {
    const auto count = static_cast<int64_t>(images.places.size());
    std::vector<std::optional<std::string>> found(images.places.size());
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      try {
        found[at] = fault(images, images.places[at]);
      } catch (...) {
#pragma omp critical(ascore_encoded_images)
        failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    return found;
  }

  void skip_broken() {
    int64_t all = 0, broken = 0;
    std::string first;
    for (ImageSelection* images : {&train_, &test_}) {
      const std::vector<std::optional<std::string>> found = faults(*images);
      std::vector<int64_t> whole;
      for (size_t i = 0; i < found.size(); ++i) {
        if (!found[i]) {
          whole.push_back(images->places[i]);
        } else if (broken++ == 0) {
          first = *found[i];
        }
      }
      all += static_cast<int64_t>(found.size());
      images->places = std::move(whole);
    }
    if (train_.places.empty()) throw DataError(fmt::format("all images are broken, the first: {}", first));
    if (broken > 0) {
      add_notice(fmt::format("data.skip_broken: {} of {} images are left out, the first: {}", broken, all, first));
    }
  }

  ImageSelection train_, test_;
  Framing framing_;
};

Shape shape_of(const DataConfig& config) {
  if (config.image_size < 1) throw ConfigError(fmt::format("data.image_size: {} needs one", config.name));
  const int channels = config.channels ? config.channels : 3;
  if (channels != 1 && channels != 3) {
    throw ConfigError(fmt::format("data.channels = {}: images of {} have 1 or 3", channels, config.name));
  }
  return {config.image_height ? config.image_height : config.image_size, config.image_size, channels};
}

}  // namespace

HostTensor decode_framed(const ImageSource& source, int64_t place, Framing framing, const Shape& shape) {
  const std::string name = source.name(place);
  const HostTensor image = decode_image(source.read(place), static_cast<int>(shape[2]), name);
  try {
    return framed(image, framing, shape[0], shape[1]);
  } catch (const ShapeError& error) {
    throw DataError(fmt::format("{}: {}", name, error.what()));
  }
}

ImageSelection all_images(std::shared_ptr<const ImageSource> source, const std::string& what) {
  if (source->size() == 0) throw DataError(fmt::format("{}: holds no images", what));
  std::vector<int64_t> places(static_cast<size_t>(source->size()));
  std::iota(places.begin(), places.end(), int64_t{0});
  return {std::move(source), std::move(places)};
}

std::unique_ptr<Dataset> encoded_images(const DataConfig& config, const Preparation& preparation, uint64_t seed,
                                        ImageSelection train, ImageSelection test, Framing framing) {
  return std::make_unique<EncodedImages>(shape_of(config), config, preparation, seed, std::move(train), std::move(test),
                                         framing);
}

std::unique_ptr<Dataset> encoded_images(const DataConfig& config, const Preparation& preparation, uint64_t seed,
                                        const ImageSelection& all, Framing framing) {
  const HeldOut parts = hold_out(static_cast<int64_t>(all.places.size()), config.test_fraction);
  const auto part = [&](const std::vector<int64_t>& indices) {
    ImageSelection images{all.source, {}};
    for (const int64_t index : indices) images.places.push_back(all.places[static_cast<size_t>(index)]);
    return images;
  };
  return encoded_images(config, preparation, seed, part(parts.train), part(parts.test), framing);
}

}  // namespace ascore
