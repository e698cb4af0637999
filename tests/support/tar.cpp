#include "tests/support/tar.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace ascore::test {

std::string tar_member(const std::string& name, const std::string& bytes, char type) {
  std::string header(512, '\0');
  const auto put = [&](size_t offset, const std::string& text) {
    std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", bytes.size()));
  put(136, "00000000000");
  put(257, std::string("ustar\0"
                       "00",
                       8));
  header[156] = type;
  set_tar_checksum(header);
  return header + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

void set_tar_checksum(std::string& archive) {
  std::fill_n(archive.begin() + 148, 8, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<uint8_t>(archive[i]);
  const std::string text = fmt::format("{:06o}", sum);
  std::ranges::copy(text, archive.begin() + 148);
  archive[154] = '\0';
}

}  // namespace ascore::test
