#include "engine/io/image_file.hpp"

#include "engine/io/npz.hpp"
#include "engine/io/webp.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/images.hpp"

#include <algorithm>
#include <string_view>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {

const std::map<std::string, HostTensor>& expected() {
  static const auto arrays = read_npz(std::string(ASCORE_TEST_DATA) + "/images/expected.npz");
  return arrays;
}

std::vector<std::byte> text_file(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

int largest_difference(const HostTensor& a, const HostTensor& b) {
  REQUIRE(a.shape == b.shape);
  int largest = 0;
  for (size_t i = 0; i < a.bytes.size(); ++i) {
    largest = std::max(largest, std::abs(std::to_integer<int>(a.bytes[i]) - std::to_integer<int>(b.bytes[i])));
  }
  return largest;
}

}  // namespace

TEST_CASE("lossless pictures decode as PIL decodes them") {
  const std::string file =
      GENERATE("color.png", "color.ppm", "grey.png", "grey.pgm", "palette.png", "alpha.png", "lossless.webp");
  CAPTURE(file);
  if (file == "lossless.webp" && !kWebpBuilt) {
    CHECK_THROWS_AS(decode_image(test::picture_file(file), 3, file), DeviceError);
    return;
  }
  CHECK(decode_image(test::picture_file(file), 3, file) == expected().at("rgb_" + file));
}

TEST_CASE("lossy pictures decode as PIL decodes them, but for the rounding of the inverse transforms") {
  const auto [file, largest] =
      GENERATE(table<std::string, int>({{"color.jpg", 8}, {"progressive.jpg", 8}, {"grey.jpg", 1}, {"lossy.webp", 0}}));
  CAPTURE(file);
  if (file == "lossy.webp" && !kWebpBuilt) return;
  CHECK(largest_difference(decode_image(test::picture_file(file), 3, file), expected().at("rgb_" + file)) <= largest);
}

TEST_CASE("grey is PIL's luma, and of grey files the value itself") {
  CHECK(decode_image(test::picture_file("color.png"), 1, "x") == expected().at("luma"));
  CHECK(decode_image(test::picture_file("alpha.png"), 1, "x") == expected().at("luma"));
  CHECK(decode_image(test::picture_file("grey.png"), 1, "x") == expected().at("luma"));
  CHECK(decode_image(test::picture_file("grey.pgm"), 1, "x") == expected().at("luma"));
  CHECK_THROWS_AS(decode_image(test::picture_file("grey.pgm"), 2, "x"), ConfigError);
}

TEST_CASE("a PPM header may hold comments, and white may be any number") {
  const auto image = decode_image(text_file("P5\n# a\n#b\n 3 # c\n1\n15\n\x03\x0f\x01"), 1, "x");
  CHECK(image == HostTensor::from(std::vector<uint8_t>{51, 255, 17}, {1, 3, 1}));
  const auto wide = decode_image(text_file(std::string_view("P5 2 1 65535\n\xff\xff\x80\x80", 17)), 1, "x");
  CHECK(wide == HostTensor::from(std::vector<uint8_t>{255, 128}, {1, 2, 1}));
}

TEST_CASE("a picture that is cut off anywhere is refused, and names itself") {
  const std::string file = GENERATE("color.png", "color.jpg", "progressive.jpg", "grey.jpg", "color.ppm", "lossy.webp");
  if (file == "lossy.webp" && !kWebpBuilt) return;
  const std::vector<std::byte> whole = test::picture_file(file);
  size_t step = 1;
  for (size_t size = 0; size < whole.size(); size += step) {
    CAPTURE(file, size);
    CHECK_THROWS_AS(decode_image(std::span(whole).first(size), 3, "some/file"), DataError);
    CHECK_THROWS_WITH(decode_image(std::span(whole).first(size), 3, "some/file"), Contains("some/file: "));
    step = size < 64 || size + 64 > whole.size() ? 1 : 37;
  }
}

TEST_CASE("a PNG with any byte changed is refused") {
  std::vector<std::byte> png = test::picture_file("palette.png");
  for (size_t at = 0; at < png.size(); ++at) {
    CAPTURE(at);
    png[at] ^= std::byte{4};
    CHECK_THROWS_AS(decode_image(png, 3, "x"), DataError);
    png[at] ^= std::byte{4};
  }
}

TEST_CASE("what a picture declares is looked at before memory is taken") {
  CHECK_THROWS_WITH(decode_image(test::png_that_declares(60000, 60000), 3, "x"),
                    Contains("x: a picture of 60000 x 60000 pixels"));
  CHECK_THROWS_WITH(decode_image(test::png_that_declares(0xffffffff, 0xffffffff), 3, "x"), Contains("x: a picture of"));
  CHECK_THROWS_WITH(decode_image(test::png_that_declares(0, 7), 3, "x"), Contains("x: a broken PNG"));
  CHECK_THROWS_WITH(decode_image(test::png_that_declares(100, 100), 3, "x"), Contains("x: a broken PNG"));
  CHECK_THROWS_WITH(decode_image(text_file("P6 60000 60000 255\nabc"), 3, "x"), Contains("declares 60000x60000"));
  CHECK_THROWS_WITH(decode_image(text_file("P6 9999999999 1 255\nabc"), 3, "x"), Contains("damaged PPM header"));
  CHECK_THROWS_WITH(decode_image(text_file("P6 7 0 255\nabc"), 3, "x"), Contains("without pixels"));
  CHECK_THROWS_WITH(decode_image(text_file("P6 7 7 70000\nabc"), 3, "x"), Contains("white of 70000"));
  CHECK_THROWS_WITH(decode_image(text_file("P6 7 7 255\nabc"), 3, "x"), Contains("7x7 need 147"));
  std::vector<std::byte> jpeg = test::picture_file("grey.jpg");
  const std::byte frame[] = {std::byte{0xff}, std::byte{0xc0}};
  const auto at = std::ranges::search(jpeg, frame).begin() + 5;
  std::fill(at, at + 4, std::byte{0xf0});
  CHECK_THROWS_WITH(decode_image(jpeg, 3, "x"), Contains("declares 61680x61680"));
}

TEST_CASE("what is no picture is refused") {
  CHECK_THROWS_WITH(decode_image({}, 3, "x"), Contains("x: an empty file"));
  CHECK_THROWS_WITH(decode_image(text_file("GIF89a..."), 3, "x"), Contains("neither PNG, JPEG, WebP"));
  CHECK_THROWS_AS(decode_image(text_file("P6"), 3, "x"), DataError);
  CHECK_THROWS_AS(decode_image(text_file("RIFF\1\1\1\1WEBPVP8 nonsense"), 3, "x"), Error);
}
