#include "engine/data/dataset.hpp"

#include "engine/data/array.hpp"
#include "engine/data/cifar10.hpp"
#include "engine/data/digits.hpp"
#include "engine/data/image_files.hpp"
#include "engine/data/mnist.hpp"
#include "engine/data/points.hpp"
#include "engine/data/stacked_mnist.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

const char* name(Split split) {
  return split == Split::train ? "train" : "test";
}

void Dataset::read(Split split, int64_t index, float* out, uint32_t pass) const {
  if (index < 0 || index >= size(split)) {
    throw DataError(fmt::format("sample {} of the {} data, which has {}", index, name(split), size(split)));
  }
  load(split, index, out);
  // Test samples draw from the upper half, so that no noise is shared with a training sample.
  const uint64_t sample = static_cast<uint64_t>(index) + (split == Split::test ? uint64_t{1} << 47 : 0);
  preparation_.apply({out, static_cast<size_t>(shape_.count())},
                     {.seed = seed_, .stream = id(RandomStream::dequantise), .first_sample = sample, .step = pass});
}

namespace {

using Opener = std::unique_ptr<Dataset> (*)(const DataConfig&, const Preparation&, uint64_t seed);
struct Known {
  const char* name;
  Opener open;
};
constexpr Known kKnown[] = {
    {"swissroll", open_points}, {"gaussians8", open_points},  {"gaussians25", open_points},
    {"digits", open_digits},    {"cifar10", open_cifar10},    {"mnist", open_mnist},
    {"array", open_array},      {"folder", open_image_files}, {"lsun", open_lsun},
    {"celeba", open_celeba},    {"ffhq", open_ffhq},          {"stackedmnist", open_stacked_mnist}};

void check_shape(const DataConfig& config, const Dataset& data) {
  const Shape& shape = data.sample_shape();
  if (!data.is_image()) {
    if (config.image_size != 0 || config.channels != 0) {
      throw ConfigError(fmt::format("data.image_size and data.channels: {} has points of the plane", config.name));
    }
    if (config.flip) throw ConfigError(fmt::format("data.flip: {} has points, no pictures", config.name));
    if (data.preparation().dequantize != Dequantize::none || data.preparation().transform != Transform::none) {
      throw ConfigError(fmt::format("data.dequantize and data.transform are for images, {} has points", config.name));
    }
    return;
  }
  const int height = config.image_height ? config.image_height : config.image_size;
  if (config.image_size != 0 && (height != shape[0] || config.image_size != shape[1])) {
    throw ConfigError(
        fmt::format("data.image_size: {}x{} pixels (width x height), but images of {} have {}x{}, and are "
                    "not resized",
                    config.image_size, height, config.name, shape[1], shape[0]));
  }
  if (config.channels != 0 && config.channels != shape[2]) {
    throw ConfigError(fmt::format("data.channels = {}: images of {} have {}", config.channels, config.name, shape[2]));
  }
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DataConfig& config, uint64_t seed) {
  const Preparation preparation{parse_dequantize(config.dequantize), parse_transform(config.transform)};
  const auto* known = std::ranges::find_if(kKnown, [&](const Known& k) { return config.name == k.name; });
  if (known == std::end(kKnown)) {
    std::string names;
    for (const Known& k : kKnown) names += fmt::format("{}{}", names.empty() ? "" : ", ", k.name);
    throw ConfigError(fmt::format("data.name = \"{}\": known are {}", config.name, names));
  }
  std::unique_ptr<Dataset> data = known->open(config, preparation, seed);
  check_shape(config, *data);
  return data;
}

}  // namespace ascore
