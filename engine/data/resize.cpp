#include "engine/data/resize.hpp"

#include "engine/io/image_file.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

// PIL's fixed point: 8 bits of pixel, 2 bits of head room for weights that add up to a little more than 1.
constexpr int kFraction = 32 - 8 - 2;

/// Which input pixels make an output pixel, and by what weights (adding up to 1 << kFraction).
struct Window {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Window> windows(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), width = std::max(scale, 1.0);
  std::vector<Window> result(static_cast<size_t>(to));
  std::vector<double> weights;
  for (int64_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(center - width + 0.5));
    const int64_t last = std::min(from, static_cast<int64_t>(center + width + 0.5));
    weights.clear();
    double sum = 0;
    for (int64_t x = first; x < last; ++x) {
      const double distance = std::abs((static_cast<double>(x) - center + 0.5) * (1 / width));
      weights.push_back(distance < 1 ? 1 - distance : 0);
      sum += weights.back();
    }
    Window& window = result[static_cast<size_t>(i)];
    window.first = first;
    for (const double weight : weights) {
      window.weights.push_back(static_cast<int32_t>(0.5 + (sum != 0 ? weight / sum : weight) * (1 << kFraction)));
    }
  }
  return result;
}

uint8_t rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFraction, 0, 255));
}

/// Along the middle one of [outer, from, inner].
HostTensor resize_axis(const HostTensor& image, int64_t outer, int64_t from, int64_t to, int64_t inner,
                       const Shape& shape) {
  const std::vector<Window> all = windows(from, to);
  HostTensor result(shape, DType::u8);
  const uint8_t* in = image.as<uint8_t>().data();
  uint8_t* out = result.as<uint8_t>().data();
  std::vector<int32_t> sums(static_cast<size_t>(inner));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < to; ++i) {
      const Window& window = all[static_cast<size_t>(i)];
      std::ranges::fill(sums, 1 << (kFraction - 1));
      const uint8_t* row = in + (o * from + window.first) * inner;
      for (const int32_t weight : window.weights) {
        for (int64_t k = 0; k < inner; ++k) sums[static_cast<size_t>(k)] += row[k] * weight;
        row += inner;
      }
      for (const int32_t sum : sums) *out++ = rounded(sum);
    }
  }
  return result;
}

}  // namespace

HostTensor resize_bilinear(const HostTensor& image, int64_t height, int64_t width) {
  const int64_t H = image.shape[0], W = image.shape[1], C = image.shape[2];
  if (H < 1 || W < 1 || height < 1 || width < 1 || height > kMostPixels / width) {
    throw ShapeError(fmt::format("cannot resize {} to {}x{} pixels", to_string(image.shape), width, height));
  }
  HostTensor result = image;
  if (width != W) result = resize_axis(result, H, W, width, C, {H, width, C});
  if (height != H) result = resize_axis(result, 1, H, height, width * C, {height, width, C});
  return result;
}

HostTensor resize_to_cover(const HostTensor& image, int64_t height, int64_t width) {
  const int64_t H = image.shape[0], W = image.shape[1];
  return H * width < W * height ? resize_bilinear(image, height, height * W / H)
                                : resize_bilinear(image, width * H / W, width);
}

HostTensor center_crop(const HostTensor& image, int64_t height, int64_t width) {
  const int64_t H = image.shape[0], W = image.shape[1], C = image.shape[2];
  if (H < height || W < width) {
    throw ShapeError(fmt::format("{}x{} pixels, too few to crop {}x{} of them", W, H, width, height));
  }
  const auto margin = [](int64_t whole, int64_t part) { return std::lrint(static_cast<double>(whole - part) / 2); };
  const int64_t top = margin(H, height), left = margin(W, width);
  HostTensor result({height, width, C}, DType::u8);
  const uint8_t* in = image.as<uint8_t>().data() + (top * W + left) * C;
  uint8_t* out = result.as<uint8_t>().data();
  for (int64_t y = 0; y < height; ++y) std::copy_n(in + y * W * C, width * C, out + y * width * C);
  return result;
}

}  // namespace ascore
