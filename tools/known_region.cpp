#include "tools/known_region.hpp"

#include "engine/data/transform.hpp"
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/configs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

HostTensor read_array(const fs::path& path) {
  const fs::path kind = path.extension();
  if (kind == ".png") return read_png(path);
  if (kind == ".npy") return read_npy(path);
  if (kind != ".npz") throw DataError(fmt::format("{}: the name must end in .png, .npy or .npz", path.string()));
  auto arrays = read_npz(path);
  const auto found = arrays.find("arr_0");
  if (found == arrays.end()) throw DataError(fmt::format("{}: has no array arr_0", path.string()));
  return std::move(found->second);
}

bool ends_in(const Shape& shape, const Shape& end) {
  const auto dims = shape.dims(), last = end.dims();
  return dims.size() >= last.size() && std::ranges::equal(dims.last(last.size()), last);
}

/// Without the channel, where there is but one.
Shape without_channel(const Shape& sample) {
  return sample.rank() == 3 ? Shape(sample.dims().first(2)) : sample;
}

/// [R,...] of one sample, or of several; R = 0: neither.
int64_t samples_in(const Shape& shape, const Shape& sample) {
  if (!ends_in(shape, sample)) return 0;
  if (shape.rank() == sample.rank()) return 1;
  return shape.rank() == sample.rank() + 1 ? shape[0] : 0;
}

HostTensor references_of(const HostTensor& array, const fs::path& path, const Recipe& recipe) {
  const Shape sample = sample_shape(recipe);
  const bool images = sample.rank() == 3;
  int64_t count = samples_in(array.shape, sample);
  if (count == 0 && images && sample[2] == 1) count = samples_in(array.shape, without_channel(sample));
  const bool bytes = array.dtype == DType::u8;
  if (count == 0 || !(array.dtype == DType::f32 || (bytes && images))) {
    throw DataError(fmt::format("{}: is {} {}; references of this model are {}f32 {}, one or several", path.string(),
                                name(array.dtype), to_string(array.shape), images ? "u8 or " : "", to_string(sample)));
  }
  std::vector<int64_t> dims{count};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  HostTensor references(Shape(std::span<const int64_t>(dims)), DType::f32);
  const std::vector<double> values = array.to_doubles();
  const auto valid = [&](double value) {
    return images ? value >= 0 && value <= (bytes ? 255 : 1) : std::isfinite(value);
  };
  if (!std::ranges::all_of(values, valid)) {
    throw DataError(
        fmt::format("{}: holds values that are {}", path.string(), images ? "outside [0,1]" : "not finite"));
  }
  std::ranges::transform(values, references.as<float>().begin(),
                         [&](double value) { return static_cast<float>(bytes ? value / 255 : value); });
  if (images) transform_images(parse_transform(recipe.data.transform), references.as<float>());
  return references;
}

HostTensor mask_of(const HostTensor& array, const fs::path& path, const Shape& sample) {
  Shape plain = array.shape;
  if (plain.rank() == sample.rank() + 1 && plain[0] == 1) plain = Shape(plain.dims().subspan(1));  // one in a batch
  const bool whole = plain == sample;
  if (plain.rank() == 3 && sample.rank() == 3 && plain[2] == 1) plain = without_channel(plain);
  // A grey picture's mask may carry its one channel.
  const bool flat = sample.rank() == 3 && plain == without_channel(sample);
  if (!whole && !flat) {
    throw DataError(fmt::format("{}: a mask {}; samples of this model are {}", path.string(), to_string(array.shape),
                                to_string(sample)));
  }
  const std::vector<double> values = array.to_doubles();
  if (!std::ranges::all_of(values, [](double value) { return value == 0 || value == 1 || value == 255; })) {
    throw DataError(
        fmt::format("{}: a mask holds 0 where unknown and 1 (or 255) where known, nothing else", path.string()));
  }
  HostTensor mask(sample, DType::u8);
  const std::span<uint8_t> known = mask.as<uint8_t>();
  const size_t per_value = known.size() / values.size();
  for (size_t i = 0; i < known.size(); ++i) known[i] = values[i / per_value] != 0;
  return mask;
}

}  // namespace

KnownRegion read_known_region(const fs::path& references, const fs::path& mask, const Recipe& recipe) {
  return {.references = references_of(read_array(references), references, recipe),
          .mask = mask_of(read_array(mask), mask, sample_shape(recipe))};
}

}  // namespace ascore::tools
