#include "tools/evaluation/neighbours_picture.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/image_grid.hpp"
#include "engine/io/png.hpp"
#include "engine/metrics/neighbours.hpp"
#include "tools/evaluation/reference.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

constexpr int64_t kRows = 10, kPiece = 256;

NearestNeighbours nearest(const SampleSet& samples, const SampleSet& reference, const Features& features, int k) {
  const Shape& shape = samples.sample_shape();
  NearestNeighbours found(features.of(samples.read(0, std::min(kRows, samples.count())), shape).features,
                          features.width(shape), k);
  for (int64_t first = 0; first < reference.count(); first += kPiece) {
    found.add(features.of(reference.read(first, std::min(kPiece, reference.count() - first)), shape).features);
  }
  return found;
}

void append_pixels(const SampleSet& set, int64_t index, std::vector<uint8_t>& pixels) {
  for (const double value : set.read(index, 1)) {
    pixels.push_back(static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
  }
}

}  // namespace

void write_neighbours(const std::filesystem::path& png, const SampleSet& samples, const SampleSet& reference,
                      const Features& features, int k) {
  const Shape& shape = samples.sample_shape();
  require_alike(samples.name(), shape, reference);
  const NearestNeighbours found = nearest(samples, reference, features, k);
  std::vector<uint8_t> pixels;
  std::string table = "sample,rank,reference,distance\n";
  const int64_t rows = std::min(kRows, samples.count()), columns = 1 + std::min<int64_t>(k, reference.count());
  for (int64_t row = 0; row < rows; ++row) {
    append_pixels(samples, row, pixels);
    for (int64_t rank = 1; rank < columns; ++rank) {
      const Neighbour& neighbour = found.of(row)[static_cast<size_t>(rank - 1)];
      append_pixels(reference, neighbour.index, pixels);
      table += fmt::format("{},{},{},{}\n", row, rank, neighbour.index, neighbour.distance);
    }
  }
  const HostTensor images = HostTensor::from(pixels, {rows * columns, shape[0], shape[1], shape[2]});
  write_png(png, make_grid(images, {.columns = columns}));
  write_file_atomically(std::filesystem::path(png).replace_extension(".csv"), table);
}

}  // namespace ascore::tools
