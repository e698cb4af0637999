#include "engine/io/png.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstring>

using namespace ascore;

namespace {

uint32_t big_endian(const std::byte* at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(at[i]);
  return value;
}

// A reader of its own: chunks with their CRCs, inflation, the five row filters. 8 bits a channel, no interlace.
HostTensor decode(const std::vector<std::byte>& png) {
  REQUIRE(png.size() > 8);
  REQUIRE(std::memcmp(png.data(), "\x89PNG\r\n\x1a\n", 8) == 0);
  std::vector<std::byte> packed;
  int64_t width = 0, height = 0, channels = 0;
  for (size_t at = 8; at < png.size();) {
    const size_t length = big_endian(&png[at]);
    const std::string type(reinterpret_cast<const char*>(&png[at + 4]), 4);
    const std::byte* data = &png[at + 8];
    REQUIRE(crc32(std::span(&png[at + 4], length + 4)) == big_endian(data + length));
    if (type == "IHDR") {
      width = big_endian(data);
      height = big_endian(data + 4);
      REQUIRE(data[8] == std::byte{8});
      channels = data[9] == std::byte{0} ? 1 : data[9] == std::byte{2} ? 3 : 4;
    }
    if (type == "IDAT") packed.insert(packed.end(), data, data + length);
    at += length + 12;
  }
  const auto row = static_cast<size_t>(width * channels), step = static_cast<size_t>(channels);
  const auto raw =
      inflate_raw(std::span(packed).subspan(2, packed.size() - 6), "png", static_cast<size_t>(height) * (row + 1));
  HostTensor picture({height, width, channels}, DType::u8);
  const auto out = picture.as<uint8_t>();
  for (size_t y = 0; y < static_cast<size_t>(height); ++y) {
    const int filter = std::to_integer<int>(raw[y * (row + 1)]);
    for (size_t x = 0; x < row; ++x) {
      const int a = x >= step ? out[y * row + x - step] : 0, b = y > 0 ? out[(y - 1) * row + x] : 0;
      const int c = x >= step && y > 0 ? out[(y - 1) * row + x - step] : 0;
      const int pa = std::abs(b - c), pb = std::abs(a - c), pc = std::abs(a + b - 2 * c);
      const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const int predicted[] = {0, a, b, (a + b) / 2, paeth};
      out[y * row + x] = static_cast<uint8_t>(std::to_integer<int>(raw[y * (row + 1) + 1 + x]) + predicted[filter]);
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("a png decodes to the picture that was written") {
  const Shape shape = GENERATE(Shape{1, 1, 1}, Shape{7, 5, 3}, Shape{33, 64, 1}, Shape{4, 4, 4});
  HostTensor picture(shape, DType::u8);
  for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = static_cast<std::byte>(i * i / 3 + 5 * i);
  test::TemporaryFolder folder;
  write_png(folder / "p.png", picture);
  CHECK(decode(read_file(folder / "p.png")) == picture);
}

TEST_CASE("png refuses what is no picture") {
  CHECK_THROWS_AS(to_png(HostTensor({4, 4, 2}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(to_png(HostTensor({4, 0, 3}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(to_png(HostTensor({4, 4}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(to_png(HostTensor({4, 4, 3}, DType::f32)), DTypeError);
}

TEST_CASE("png reads what it wrote, and leaves alpha out") {
  for (const int64_t channels : {1, 3, 4}) {
    HostTensor picture({7, 5, channels}, DType::u8);
    for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = static_cast<std::byte>(i * i / 3 + 5 * i);
    const HostTensor read = from_png(to_png(picture), "p.png");
    if (channels < 4) {
      CHECK(read == picture);
      continue;
    }
    REQUIRE(read.shape == Shape{7, 5, 3});
    for (size_t i = 0; i < 35; ++i) CHECK(read.bytes[3 * i + 2] == picture.bytes[4 * i + 2]);
  }
}

TEST_CASE("png refuses damaged pictures, in one line with the name") {
  HostTensor picture({7, 5, 3}, DType::u8);
  for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = static_cast<std::byte>(7 * i);
  const std::vector<std::byte> png = to_png(picture);
  for (size_t i = 0; i < png.size(); ++i) {
    std::vector<std::byte> damaged = png;
    damaged[i] ^= std::byte{0x10};
    CHECK_THROWS_AS(from_png(damaged, "p.png"), DataError);
    CHECK_THROWS_AS(from_png(std::span(png).first(i), "p.png"), DataError);
  }
  CHECK_THROWS_WITH(from_png({}, "p.png"), Catch::Contains("p.png: not a PNG picture"));
  // A header that declares 60000 x 60000 pixels, with a sum that is right.
  std::vector<std::byte> huge = png;
  for (const size_t at : {size_t{16}, size_t{20}}) {
    const uint8_t side[] = {0, 0, 0xea, 0x60};
    std::memcpy(huge.data() + at, side, 4);
  }
  const uint32_t sum = crc32(std::span(huge).subspan(12, 17));
  for (size_t i = 0; i < 4; ++i) huge[29 + i] = static_cast<std::byte>(sum >> (24 - 8 * i));
  CHECK_THROWS_WITH(from_png(huge, "p.png"), Catch::Contains("60000 x 60000"));
  CHECK_THROWS_AS(read_png("/no/such/picture.png"), DataError);
}
