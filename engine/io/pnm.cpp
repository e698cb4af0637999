#include "engine/io/pnm.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {

struct Header {
  int64_t height = 0, width = 0, channels = 0, most = 0;  ///< most: the value of white
  size_t size = 0;                                        ///< bytes before the first pixel
};

/// "P6", then width, height and white in decimal, with blanks and #-comments between, then one blank.
class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  Header read() {
    if (!is_pnm(bytes_)) fail("no binary PGM or PPM");
    Header header;
    header.channels = at(1) == '6' ? 3 : 1;
    next_ = 2;
    header.width = number();
    header.height = number();
    header.most = number();
    if (header.width < 1 || header.height < 1) fail("an image without pixels");
    if (header.most < 1 || header.most > 65535) fail(fmt::format("a white of {}; 1 to 65535 are known", header.most));
    if (!is_blank(at(next_))) fail("a damaged PPM header");
    header.size = next_ + 1;
    return header;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  [[noreturn]] void fail(std::string_view reason) const { throw DataError(fmt::format("{}: {}", what_, reason)); }
  char at(size_t place) const {
    if (place >= bytes_.size()) fail("a truncated PPM header");
    return static_cast<char>(bytes_[place]);
  }
  int64_t number() {
    while (is_blank(at(next_)) || at(next_) == '#') {
      if (at(next_) == '#') {
        while (at(next_) != '\n') ++next_;
      }
      ++next_;
    }
    int64_t value = 0;
    const size_t first = next_;
    for (; at(next_) >= '0' && at(next_) <= '9'; ++next_) {
      value = 10 * value + (at(next_) - '0');
      if (next_ - first >= 9) fail("a damaged PPM header");  // more digits than any image has pixels
    }
    if (next_ == first) fail("a damaged PPM header");
    return value;
  }

  std::span<const std::byte> bytes_;
  std::string_view what_;
  size_t next_ = 0;
};

}  // namespace

bool is_pnm(std::span<const std::byte> bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{'P'} && (bytes[1] == std::byte{'5'} || bytes[1] == std::byte{'6'});
}

std::array<int64_t, 2> pnm_size(std::span<const std::byte> bytes, std::string_view what) {
  const Header header = HeaderReader(bytes, what).read();
  return {header.height, header.width};
}

HostTensor from_pnm(std::span<const std::byte> bytes, std::string_view what) {
  const Header header = HeaderReader(bytes, what).read();
  const int64_t count = header.height * header.width * header.channels;
  const size_t wide = header.most > 255 ? 2 : 1;
  const std::span<const std::byte> pixels = bytes.subspan(header.size);
  if (static_cast<uint64_t>(count) > pixels.size() / wide) {
    throw DataError(fmt::format("{}: {} bytes of pixels, where {}x{} need {}", what, pixels.size(), header.width,
                                header.height, static_cast<uint64_t>(count) * wide));
  }
  HostTensor image({header.height, header.width, header.channels}, DType::u8);
  const auto out = image.as<uint8_t>();
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t value = std::to_integer<int64_t>(pixels[i * wide]);
    if (wide == 2) value = value << 8 | std::to_integer<int64_t>(pixels[i * wide + 1]);
    if (value > header.most) throw DataError(fmt::format("{}: a pixel above the white of {}", what, header.most));
    out[i] = static_cast<uint8_t>((value * 255 + header.most / 2) / header.most);
  }
  return image;
}

}  // namespace ascore
