#include "tools/evaluation/sample_set.hpp"

#include "engine/data/image_source.hpp"
#include "engine/io/image_file.hpp"
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"
#include "tools/open_data.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

namespace fs = std::filesystem;

/// The number of samples that are wanted of `there`.
int64_t wanted(const std::string& name, int64_t there, int64_t count) {
  if (there == 0) throw DataError(fmt::format("{}: holds no samples", name));
  if (count > there)
    throw DataError(fmt::format("{}: holds {} samples, fewer than the {} asked for", name, there, count));
  return count > 0 ? count : there;
}

/// An array in memory, [N, sample...].
class ArraySamples final : public SampleSet {
 public:
  ArraySamples(const std::string& name, HostTensor values, int64_t count)
      : SampleSet(name, Shape(values.shape.dims().subspan(1)), wanted(name, values.shape[0], count)),
        values_(std::move(values)) {}

  std::vector<double> read(int64_t first, int64_t count) const override {
    const auto width = static_cast<size_t>(sample_shape().count());
    const size_t begin = static_cast<size_t>(first) * width, size = static_cast<size_t>(count) * width;
    std::vector<double> rows(size);
    if (values_.dtype == DType::u8) {
      std::ranges::transform(values_.as<uint8_t>().subspan(begin, size), rows.begin(),
                             [](uint8_t v) { return v / 255.0; });
    } else {
      std::ranges::copy(values_.as<float>().subspan(begin, size), rows.begin());
    }
    return rows;
  }

 private:
  HostTensor values_;
};

HostTensor read_array(const fs::path& path) {
  if (path.extension() == ".npy") return read_npy(path);
  auto arrays = read_npz(path);
  for (const char* key : {"arr_0", "images"}) {
    if (const auto found = arrays.find(key); found != arrays.end()) return std::move(found->second);
  }
  throw DataError(fmt::format("{}: has no array arr_0; give what ascore sample wrote", path.string()));
}

std::unique_ptr<SampleSet> open_array(const fs::path& path, int64_t count) {
  HostTensor values = read_array(path);
  const bool images = values.shape.rank() == 4 && (values.dtype == DType::u8 || values.dtype == DType::f32);
  const bool points = values.shape.rank() == 2 && values.dtype == DType::f32;
  if (!images && !points) {
    throw DataError(fmt::format("{}: samples are u8 or f32 [N,H,W,C] or f32 [N,D]; these are {} {}", path.string(),
                                ascore::name(values.dtype), to_string(values.shape)));
  }
  if (!all_finite(values)) throw DataError(fmt::format("{}: holds values that are not finite", path.string()));
  return std::make_unique<ArraySamples>(path.string(), std::move(values), count);
}

/// Image files of one size, decoded when they are read.
class FileSamples final : public SampleSet {
 public:
  FileSamples(const std::string& name, std::unique_ptr<ImageSource> files, const Shape& shape, int64_t count)
      : SampleSet(name, shape, wanted(name, files->size(), count)), files_(std::move(files)) {}

  std::vector<double> read(int64_t first, int64_t count) const override {
    std::vector<double> rows;
    rows.reserve(static_cast<size_t>(count * sample_shape().count()));
    for (int64_t i = first; i < first + count; ++i) {
      const HostTensor image = decode_image(files_->read(i), static_cast<int>(sample_shape()[2]), files_->name(i));
      if (image.shape != sample_shape()) {
        throw DataError(fmt::format("{}: is {}, the first image {}; all must have one size", files_->name(i),
                                    to_string(image.shape), to_string(sample_shape())));
      }
      for (const uint8_t value : image.as<uint8_t>()) rows.push_back(value / 255.0);
    }
    return rows;
  }

 private:
  std::unique_ptr<ImageSource> files_;
};

std::unique_ptr<SampleSet> open_files(const fs::path& folder, int64_t count) {
  std::unique_ptr<ImageSource> files = image_folder(folder);
  if (files->size() == 0) throw DataError(fmt::format("{}: holds no images and no samples.npz", folder.string()));
  constexpr int kColours = 3;
  const Shape shape = decode_image(files->read(0), kColours, files->name(0)).shape;
  return std::make_unique<FileSamples>(folder.string(), std::move(files), shape, count);
}

/// Part of a data set.
class DataSamples final : public SampleSet {
 public:
  DataSamples(const std::string& name, std::unique_ptr<Dataset> data, Part part)
      : SampleSet(name, data->sample_shape(), wanted(name, size_of_part(*data, part), 0)),
        data_(std::move(data)),
        part_(part) {}

  std::vector<double> read(int64_t first, int64_t count) const override {
    const auto width = static_cast<size_t>(sample_shape().count());
    const int64_t train = part_ == Part::test ? 0 : data_->size(Split::train);
    std::vector<float> values(static_cast<size_t>(count) * width);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t index = first + i;
      float* out = values.data() + static_cast<size_t>(i) * width;
      index < train ? data_->read(Split::train, index, out) : data_->read(Split::test, index - train, out);
    }
    return {values.begin(), values.end()};
  }

 private:
  static int64_t size_of_part(const Dataset& data, Part part) {
    return (part == Part::test ? 0 : data.size(Split::train)) + (part == Part::train ? 0 : data.size(Split::test));
  }
  std::unique_ptr<Dataset> data_;
  Part part_;
};

}  // namespace

std::unique_ptr<SampleSet> open_samples(const fs::path& path, int64_t count) {
  if (!fs::is_directory(path)) return open_array(path, count);
  const fs::path drawn = path / "samples.npz";
  return fs::exists(drawn) ? open_array(drawn, count) : open_files(path, count);
}

std::unique_ptr<SampleSet> samples_in_memory(const std::string& name, HostTensor values) {
  return std::make_unique<ArraySamples>(name, std::move(values), 0);
}

Part parse_part(const std::string& text) {
  if (text.empty()) return Part::usual;
  if (text == "train") return Part::train;
  if (text == "test") return Part::test;
  if (text == "all") return Part::all;
  throw ConfigError(fmt::format("--split {}: is train, test or all", text));
}

std::unique_ptr<SampleSet> open_recipe_samples(const Recipe& recipe, Part part) {
  Recipe untouched = recipe;
  const bool points = is_point_data(recipe.data.name);
  if (!points) untouched.data.dequantize = untouched.data.transform = "none";
  if (part == Part::usual) part = points ? Part::test : Part::all;
  const char* const parts[] = {"usual", "train", "test", "all"};
  return std::make_unique<DataSamples>(fmt::format("{} ({})", recipe.data.name, parts[static_cast<size_t>(part)]),
                                       open_data(untouched), part);
}

}  // namespace ascore::tools
