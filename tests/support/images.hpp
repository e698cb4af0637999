#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace ascore::test {

/// The bytes of a picture of tests/data/images.
std::vector<std::byte> picture_file(const std::string& name);

/// A PNG file whose header, with a right CRC, declares `width` x `height` pixels of grey, and which has almost none.
std::vector<std::byte> png_that_declares(uint32_t width, uint32_t height);

}  // namespace ascore::test
