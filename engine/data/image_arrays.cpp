#include "engine/data/image_arrays.hpp"

#include "engine/data/cifar10_files.hpp"
#include "engine/data/image_files.hpp"
#include "engine/data/mnist.hpp"
#include "engine/io/atomic_file.hpp"
#include "engine/io/compression.hpp"
#include "engine/io/idx.hpp"
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr int64_t kMostLabel = 65535;

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::ranges::equal(std::as_bytes(std::span(magic)), bytes.first(magic.size()));
}

// [N,H,W,C] of u8, or of f32 in [0,1].
HostTensor checked_images(HostTensor x, std::string_view what) {
  const auto fail = [&](const std::string& reason) { throw DataError(fmt::format("{}: {}", what, reason)); };
  if (x.dtype != DType::u8 && x.dtype != DType::f32) {
    fail(fmt::format("images of {}; they must be uint8, or float32 in [0,1]", name(x.dtype)));
  }
  if (x.shape.rank() == 3) x.shape = {x.shape[0], x.shape[1], x.shape[2], 1};
  if (x.shape.rank() != 4) fail(fmt::format("shape {}; images are [N,H,W,C] or [N,H,W]", to_string(x.shape)));
  if (x.count() == 0) fail(fmt::format("shape {} holds no pixels", to_string(x.shape)));
  if (x.dtype == DType::f32) {
    const std::span<const float> values = x.as<float>();
    const auto wrong = std::ranges::find_if(values, [](float value) { return !(value >= 0 && value <= 1); });
    if (wrong != values.end()) {
      const int64_t image = (wrong - values.begin()) / (x.count() / x.shape[0]);
      fail(fmt::format("image {} has a pixel {}; float32 pixels lie in [0,1]", image, *wrong));
    }
  }
  return x;
}

std::vector<int64_t> checked_labels(const HostTensor& x, int64_t count, std::string_view what) {
  const auto fail = [&](const std::string& reason) { throw DataError(fmt::format("{}: {}", what, reason)); };
  if (x.dtype != DType::u8 && x.dtype != DType::i32 && x.dtype != DType::i64) {
    fail(fmt::format("labels of {}; they must be integers", name(x.dtype)));
  }
  if (x.shape != Shape{count})
    fail(fmt::format("shape {}; {} images need labels [{}]", to_string(x.shape), count, count));
  std::vector<int64_t> labels;
  for (const double value : x.to_doubles()) {
    if (value < 0 || value > static_cast<double>(kMostLabel))
      fail(fmt::format("label {}; labels are 0 to {}", value, kMostLabel));
    labels.push_back(static_cast<int64_t>(value));
  }
  return labels;
}

using Arrays = std::map<std::string, HostTensor>;

// Takes one pair of arrays out of `arrays`; nothing if there are no images of that name.
std::optional<LabelledImages> take(Arrays& arrays, const std::string& images, const std::string& labels,
                                   const std::string& file) {
  auto found = arrays.extract(images);
  if (!found) return std::nullopt;
  LabelledImages result;
  result.images = checked_images(std::move(found.mapped()), fmt::format("{}: {}", file, images));
  const int64_t count = result.images.shape[0];
  if (const auto given = arrays.extract(labels)) {
    result.labels = checked_labels(given.mapped(), count, fmt::format("{}: {}", file, labels));
  } else {
    result.labels.assign(static_cast<size_t>(count), 0);
  }
  return result;
}

ImageArrays from_arrays(Arrays arrays, const std::string& file) {
  auto train = take(arrays, arrays.contains("images") ? "images" : "arr_0", "labels", file);
  if (!train) throw DataError(fmt::format("{}: has no array images (or arr_0)", file));
  ImageArrays result{.train = std::move(*train), .test = take(arrays, "test_images", "test_labels", file)};
  if (!arrays.empty()) {
    throw DataError(fmt::format("{}: has the array {}; known are images, labels, test_images and test_labels", file,
                                arrays.begin()->first));
  }
  if (!result.test) return result;
  const HostTensor &a = result.train.images, &b = result.test->images;
  if (a.dtype != b.dtype || !std::ranges::equal(a.shape.dims().subspan(1), b.shape.dims().subspan(1))) {
    throw DataError(fmt::format("{}: images are {} {}, but test_images {} {}", file, name(a.dtype), to_string(a.shape),
                                name(b.dtype), to_string(b.shape)));
  }
  return result;
}

ImageArrays single(HostTensor images, const std::string& file) {
  Arrays arrays;
  arrays.emplace("images", std::move(images));
  return from_arrays(std::move(arrays), file);
}

/// Nothing if the bytes begin neither as .npy nor as .npz.
std::optional<ImageArrays> from_numpy(std::span<const std::byte> bytes, const std::string& file) {
  if (begins_with(bytes, "\x93NUMPY")) return single(from_npy(bytes, file), file);
  if (begins_with(bytes, "PK")) return from_arrays(from_npz(bytes, file), file);
  return std::nullopt;
}

LabelledImages from_bytes(const ByteImages& split, const Shape& sample) {
  const auto count = static_cast<int64_t>(split.labels.size());
  return {.images = HostTensor::from(split.pixels, {count, sample[0], sample[1], sample[2]}),
          .labels = {split.labels.begin(), split.labels.end()}};
}

ImageArrays from_splits(const ByteImageSplits& splits) {
  return {.train = from_bytes(splits.train, splits.sample_shape), .test = from_bytes(splits.test, splits.sample_shape)};
}

}  // namespace

ImageArrays read_image_arrays(const std::filesystem::path& path) {
  if (auto arrays = from_numpy(read_file(path), path.string())) return *std::move(arrays);
  throw DataError(fmt::format("{}: is no .npy and no .npz file", path.string()));
}

void write_image_arrays(const std::filesystem::path& path, const ImageArrays& arrays) {
  const auto labels = [](const LabelledImages& part) { return HostTensor::from(part.labels, {part.images.shape[0]}); };
  NpzArrays file{{"images", arrays.train.images}, {"labels", labels(arrays.train)}};
  if (arrays.test) {
    file.emplace_back("test_images", arrays.test->images);
    file.emplace_back("test_labels", labels(*arrays.test));
  }
  write_npz(path, file);
}

ImageArrays import_image_files(const std::filesystem::path& source, int image_size, int channels) {
  const ImageSelection all = image_files_at(source.string());
  const auto count = static_cast<int64_t>(all.places.size());
  const Shape shape{image_size, image_size, channels};
  LabelledImages images{.images = HostTensor({count, image_size, image_size, channels}, DType::u8),
                        .labels = std::vector<int64_t>(all.places.size())};
  auto out = images.images.bytes.begin();
  for (const int64_t place : all.places) {
    out = std::ranges::copy(decode_framed(*all.source, place, Framing::resize_crop, shape).bytes, out).out;
  }
  return {.train = std::move(images), .test = std::nullopt};
}

ImageArrays import_images(const std::filesystem::path& source) {
  std::error_code error;
  const std::string name = source.string();
  if (std::filesystem::is_directory(source, error)) {
    if (is_mnist_folder(source)) return from_splits(read_mnist(source));
    if (std::filesystem::exists(source / "data_batch_1.bin", error)) return from_splits(read_cifar10(source));
    throw DataError(
        fmt::format("{}: a folder with neither MNIST's nor CIFAR-10's files; to import pictures, say the "
                    "pixels of their sides (--image-size)",
                    name));
  }
  std::vector<std::byte> bytes = read_file(source);
  if (auto arrays = from_numpy(bytes, name)) return *std::move(arrays);
  constexpr size_t kMostUnpacked = size_t{2} << 30;
  if (is_gzip(bytes)) bytes = gunzip(bytes, name, kMostUnpacked);
  if (is_idx(bytes)) return single(from_idx(bytes, name), name);
  return from_splits(from_cifar10_archive(bytes, name));
}

}  // namespace ascore
