#include "engine/data/digits.hpp"

#include "engine/data/byte_images.hpp"
#include "engine/data/loader.hpp"
#include "engine/io/compression.hpp"
#include "kernels/core/error.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

extern const unsigned char digits_csv_gz[];
extern const std::size_t digits_csv_gz_size;

namespace {

constexpr int64_t kCount = 1797, kPixels = 64;
constexpr float kWhite = 16;

// 65 numbers a line: the pixels, then the label.
ByteImages parse_digits() {
  const std::vector<std::byte> text =
      gunzip(std::as_bytes(std::span(digits_csv_gz, digits_csv_gz_size)), "embedded digits", 1 << 20);
  const char* at = reinterpret_cast<const char*>(text.data());
  const char* const end = at + text.size();
  ByteImages images;
  for (int64_t i = 0; i < kCount * (kPixels + 1); ++i) {
    uint8_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value > kWhite || next == end) throw DataError("embedded digits: damaged");
    at = next + 1;  // past the comma or line feed
    (i % (kPixels + 1) < kPixels ? images.pixels : images.labels).push_back(value);
  }
  if (at != end) throw DataError("embedded digits: damaged");
  return images;
}

}  // namespace

std::unique_ptr<Dataset> open_digits(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (!(config.test_fraction >= 0 && config.test_fraction < 1)) {
    throw ConfigError(fmt::format("data.test_fraction = {}: at least 0 and below 1", config.test_fraction));
  }
  const ByteImages all = parse_digits();
  const auto train_count = kCount - static_cast<int64_t>(std::lround(config.test_fraction * kCount));
  ByteImages train, test;
  const std::vector<int64_t> order = epoch_order(0, 0, kCount);
  for (int64_t i = 0; i < kCount; ++i) {
    ByteImages& part = i < train_count ? train : test;
    const auto source = static_cast<size_t>(order[static_cast<size_t>(i)]);
    const uint8_t* pixels = all.pixels.data() + source * kPixels;
    part.pixels.insert(part.pixels.end(), pixels, pixels + kPixels);
    part.labels.push_back(all.labels[source]);
  }
  return std::make_unique<ByteImageDataset>(Shape{8, 8, 1}, std::move(train), std::move(test), kWhite, preparation,
                                            seed);
}

}  // namespace ascore
