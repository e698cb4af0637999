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
