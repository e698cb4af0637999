#include "tests/support/images.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"

#include <cstdint>
#include <span>

namespace ascore::test {

std::vector<std::byte> picture_file(const std::string& name) {
  return read_file(std::filesystem::path(ASCORE_TEST_DATA) / "images" / name);
}

std::vector<std::byte> png_that_declares(uint32_t width, uint32_t height) {
  std::vector<std::byte> png;
  const auto put = [&](std::initializer_list<unsigned> bytes) {
    for (const unsigned byte : bytes) png.push_back(static_cast<std::byte>(byte));
  };
  const auto big_endian = [&](uint32_t value) { put({value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255}); };
  put({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'});
  big_endian(width);
  big_endian(height);
  put({8, 0, 0, 0, 0});
  big_endian(crc32(std::span(png).subspan(12)));
  put({0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82});
  return png;
}

}  // namespace ascore::test
