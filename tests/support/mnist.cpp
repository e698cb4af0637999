#include "tests/support/mnist.hpp"

#include "tests/support/gzip.hpp"
#include "tests/support/temporary_folder.hpp"

#include <string>
#include <vector>

namespace ascore::test {

namespace {

std::string big_endian(int64_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
  return text;
}

void write(const std::filesystem::path& path, const std::string& text, bool packed) {
  const auto bytes = std::as_bytes(std::span(text));
  if (packed) {
    write_quickly(path.string() + ".gz", gzip(bytes));
  } else {
    write_quickly(path, bytes);
  }
}

void write_split(const std::filesystem::path& folder, const std::string& prefix, int64_t count, bool packed) {
  std::string images = std::string("\0\0\x08\x03", 4) + big_endian(count) + big_endian(28) + big_endian(28);
  std::string labels = std::string("\0\0\x08\x01", 4) + big_endian(count);
  for (int64_t n = 0; n < count; ++n) {
    for (int64_t p = 0; p < 28 * 28; ++p) images += static_cast<char>(p % 5 == 0 ? (p + n) % 251 : 0);
    labels += static_cast<char>(n % 10);
  }
  write(folder / (prefix + "-images-idx3-ubyte"), images, packed);
  write(folder / (prefix + "-labels-idx1-ubyte"), labels, packed);
}

}  // namespace

void write_tiny_mnist(const std::filesystem::path& folder, int64_t train, int64_t test, bool packed) {
  std::filesystem::create_directories(folder);
  write_split(folder, "train", train, packed);
  write_split(folder, "t10k", test, packed);
}

}  // namespace ascore::test
