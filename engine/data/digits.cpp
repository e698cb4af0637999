#include "engine/data/digits.hpp"

#include "engine/data/byte_images.hpp"
#include "engine/data/hold_out.hpp"
#include "engine/io/compression.hpp"
#include "kernels/core/error.hpp"

#include <charconv>

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
  const HeldOut held_out = hold_out(kCount, config.test_fraction);
  const ByteImages all = parse_digits();
  const auto part = [&](const std::vector<int64_t>& indices) {
    ByteImages images;
    for (const int64_t index : indices) {
      const uint8_t* pixels = all.pixels.data() + index * kPixels;
      images.pixels.insert(images.pixels.end(), pixels, pixels + kPixels);
      images.labels.push_back(all.labels[static_cast<size_t>(index)]);
    }
    return images;
  };
  return std::make_unique<ByteImageDataset>(Shape{8, 8, 1}, part(held_out.train), part(held_out.test), kWhite,
                                            preparation, seed);
}

}  // namespace ascore
