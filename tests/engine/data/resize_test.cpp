#include "engine/data/resize.hpp"

#include "engine/io/image_file.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/images.hpp"

#include <algorithm>

using namespace ascore;

namespace {

HostTensor expected(const std::string& name) {
  static const auto arrays = read_npz(std::string(ASCORE_TEST_DATA) + "/images/expected.npz");
  return arrays.at(name);
}

HostTensor picture(int channels) {
  return decode_image(test::picture_file("color.png"), channels, "color.png");
}

HostTensor transposed(const HostTensor& image) {
  const int64_t H = image.shape[0], W = image.shape[1], C = image.shape[2];
  HostTensor result({W, H, C}, DType::u8);
  for (int64_t y = 0; y < H; ++y) {
    for (int64_t x = 0; x < W; ++x) {
      for (int64_t c = 0; c < C; ++c) {
        result.bytes[static_cast<size_t>((x * H + y) * C + c)] = image.bytes[static_cast<size_t>((y * W + x) * C + c)];
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("resizing equals PIL's, bit for bit, smaller, larger and along one side") {
  const auto [height, width] =
      GENERATE(table<int64_t, int64_t>({{16, 23}, {74, 90}, {37, 20}, {11, 53}, {1, 1}, {37, 53}}));
  CAPTURE(height, width);
  const bool same = height == 37 && width == 53;
  CHECK(resize_bilinear(picture(3), height, width) ==
        (same ? picture(3) : expected("resized_" + std::to_string(height) + "x" + std::to_string(width))));
}

TEST_CASE("resizing one side up and the other down is within a grey level of PIL's") {
  const HostTensor ours = resize_bilinear(picture(3), 5, 120), theirs = expected("resized_5x120");
  REQUIRE(ours.shape == theirs.shape);
  int largest = 0;
  for (size_t i = 0; i < ours.bytes.size(); ++i) {
    largest = std::max(largest, std::abs(std::to_integer<int>(ours.bytes[i]) - std::to_integer<int>(theirs.bytes[i])));
  }
  CHECK(largest <= 1);
}

TEST_CASE("one channel is resized as PIL resizes grey") {
  CHECK(resize_bilinear(picture(1), 12, 31) == expected("resized_grey_12x31"));
}

TEST_CASE("shorter side and crop equal torchvision's, wide and upright") {
  const int64_t size = GENERATE(24, 25, 64);
  CAPTURE(size);
  const HostTensor wide = picture(3);
  CHECK(center_crop(resize_to_cover(wide, size, size), size, size) == expected("square_" + std::to_string(size)));
  CHECK(center_crop(resize_to_cover(transposed(wide), size, size), size, size) ==
        expected("upright_" + std::to_string(size)));
}

TEST_CASE("a picture that covers a frame fits it on one side") {
  const HostTensor wide = picture(3);  // 37x53
  CHECK(resize_to_cover(wide, 16, 20) == resize_bilinear(wide, 16, 16 * 53 / 37));
  CHECK(resize_to_cover(wide, 16, 30) == resize_bilinear(wide, 30 * 37 / 53, 30));
  CHECK(resize_to_cover(transposed(wide), 20, 16) == resize_bilinear(transposed(wide), 16 * 53 / 37, 16));
  const HostTensor cut = center_crop(wide, 35, 51), inner = center_crop(cut, 33, 49);
  CHECK(inner.shape == Shape{33, 49, 3});
  CHECK(inner == center_crop(wide, 33, 49));
  CHECK(inner.bytes.front() == wide.bytes[(2 * 53 + 2) * 3]);
}

TEST_CASE("a crop is in the middle; half a pixel goes to the even side") {
  for (const auto& [side, size, first] :
       std::vector<std::array<int64_t, 3>>{{7, 4, 2}, {9, 4, 2}, {8, 4, 2}, {5, 5, 0}}) {
    CAPTURE(side, size);
    HostTensor row({side, side, 1}, DType::u8);
    for (int64_t i = 0; i < side * side; ++i) row.bytes[static_cast<size_t>(i)] = static_cast<std::byte>(i);
    CHECK(center_crop(row, size, size).bytes.front() == static_cast<std::byte>(first * side + first));
  }
  CHECK_THROWS_AS(center_crop(picture(3), 38, 38), ShapeError);
}

TEST_CASE("sizes that no memory has are refused") {
  CHECK_THROWS_AS(resize_bilinear(picture(3), 0, 4), ShapeError);
  CHECK_THROWS_AS(resize_bilinear(picture(3), 100'000, 100'000), ShapeError);
  CHECK_THROWS_AS(resize_to_cover(HostTensor({1, 10'000'000, 1}, DType::u8), 64, 64), ShapeError);
}
