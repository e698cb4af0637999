#include "engine/data/mnist.hpp"

#include "engine/io/idx.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr int64_t kSide = 28, kPaddedSide = 32;
constexpr const char* kTrainImages = "train-images-idx3-ubyte";

std::optional<std::filesystem::path> find_idx(const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  for (const char* ending : {"", ".gz"}) {
    const std::filesystem::path file = folder / (name + ending);
    if (std::filesystem::is_regular_file(file, error)) return file;
  }
  return std::nullopt;
}

HostTensor read_array(const std::filesystem::path& folder, const std::string& name, const Shape& sample) {
  const auto file = find_idx(folder, name);
  if (!file) {
    throw DataError(fmt::format("{}: no such file, with or without .gz; mnist reads its four idx files there",
                                (folder / name).string()));
  }
  HostTensor x = read_idx(*file);
  bool fits = x.dtype == DType::u8 && x.shape.rank() == sample.rank() + 1;
  for (int i = 0; fits && i < sample.rank(); ++i) fits = x.shape[i + 1] == sample[i];
  if (!fits) {
    throw DataError(fmt::format("{}: holds {} {}, where MNIST has u8 [N{}{}", file->string(), ascore::name(x.dtype),
                                to_string(x.shape), sample.rank() ? "," : "", to_string(sample).substr(1)));
  }
  return x;
}

// [N,28,28] to [N,side,side], with black around.
std::vector<uint8_t> pad(std::span<const uint8_t> pixels, int64_t side) {
  const int64_t margin = (side - kSide) / 2, rows = static_cast<int64_t>(pixels.size()) / kSide;
  std::vector<uint8_t> result(static_cast<size_t>(rows / kSide * side * side));
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t to = (r / kSide * side + r % kSide + margin) * side + margin;
    std::copy_n(pixels.begin() + r * kSide, kSide, result.begin() + to);
  }
  return result;
}

ByteImages read_split(const std::filesystem::path& folder, const std::string& prefix, int64_t side) {
  const HostTensor images = read_array(folder, prefix + "-images-idx3-ubyte", {kSide, kSide});
  const HostTensor labels = read_array(folder, prefix + "-labels-idx1-ubyte", {});
  if (images.shape[0] != labels.shape[0]) {
    throw DataError(
        fmt::format("{}: {} {} images, but {} labels", folder.string(), images.shape[0], prefix, labels.shape[0]));
  }
  const std::span<const uint8_t> classes = labels.as<uint8_t>();
  const auto wrong = std::ranges::find_if(classes, [](uint8_t label) { return label > 9; });
  if (wrong != classes.end()) {
    throw DataError(
        fmt::format("{}: {} image {} has the label {}", folder.string(), prefix, wrong - classes.begin(), *wrong));
  }
  return {.pixels = pad(images.as<uint8_t>(), side), .labels = {classes.begin(), classes.end()}};
}

}  // namespace

bool is_mnist_folder(const std::filesystem::path& folder) {
  return find_idx(folder, kTrainImages).has_value();
}

ByteImageSplits read_mnist(const std::filesystem::path& folder, int image_size) {
  if (image_size != kSide && image_size != kPaddedSide) {
    throw ConfigError(fmt::format("data.image_size = {}: mnist has {} pixels a side, or {} with a black margin",
                                  image_size, kSide, kPaddedSide));
  }
  return {.sample_shape = {image_size, image_size, 1},
          .train = read_split(folder, "train", image_size),
          .test = read_split(folder, "t10k", image_size)};
}

std::unique_ptr<Dataset> open_mnist(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: mnist needs the folder of its four idx files");
  ByteImageSplits splits = read_mnist(config.path, config.image_size ? config.image_size : static_cast<int>(kSide));
  return std::make_unique<ByteImageDataset>(splits.sample_shape, std::move(splits.train), std::move(splits.test),
                                            255.0f, preparation, seed);
}

}  // namespace ascore
