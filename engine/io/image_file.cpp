#include "engine/io/image_file.hpp"

#include "engine/io/png.hpp"
#include "engine/io/pnm.hpp"
#include "engine/io/webp.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include <fmt/format.h>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_JPEG
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace ascore {

namespace {

using Bytes = std::span<const std::byte>;
using Size = std::array<int64_t, 2>;  ///< height, width

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n", kJpeg = "\xff\xd8\xff";

bool begins_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::ranges::equal(std::as_bytes(std::span(magic)), bytes.first(magic.size()));
}

bool is_webp(Bytes bytes) {
  return begins_with(bytes, "RIFF") && bytes.size() >= 12 && begins_with(bytes.subspan(8), "WEBP");
}

const stbi_uc* pointer(Bytes bytes) {
  return reinterpret_cast<const stbi_uc*>(bytes.data());
}

[[noreturn]] void fail(std::string_view what, std::string_view reason) {
  throw DataError(fmt::format("{}: {}", what, reason));
}

Size jpeg_size(Bytes bytes, std::string_view what) {
  int width = 0, height = 0, channels = 0;
  if (!stbi_info_from_memory(pointer(bytes), static_cast<int>(bytes.size()), &width, &height, &channels)) {
    fail(what, fmt::format("a truncated or damaged JPEG image ({})", stbi_failure_reason()));
  }
  return {height, width};
}

void check_size(const Size& size, std::string_view what) {
  const auto [height, width] = size;
  if (height < 1 || width < 1) fail(what, "an image without pixels");
  if (height > kMostPixels / width) {
    fail(what, fmt::format("declares {}x{} pixels; {} are the most that are read", width, height, kMostPixels));
  }
}

HostTensor decode_jpeg(Bytes bytes, std::string_view what) {
  struct Free {
    void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
  };
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, Free> pixels(
      stbi_load_from_memory(pointer(bytes), static_cast<int>(bytes.size()), &width, &height, &channels, 0));
  if (!pixels) fail(what, fmt::format("a truncated or damaged JPEG image ({})", stbi_failure_reason()));
  HostTensor image({height, width, channels}, DType::u8);
  std::copy_n(pixels.get(), image.bytes.size(), image.as<uint8_t>().data());
  return image;
}

HostTensor decode(Bytes bytes, std::string_view what) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) fail(what, "an image file above 2 GiB");
  if (begins_with(bytes, kPng)) return from_png(bytes, what);
  if (begins_with(bytes, kJpeg)) {
    check_size(jpeg_size(bytes, what), what);
    return decode_jpeg(bytes, what);
  }
  if (is_webp(bytes)) {
    check_size(webp_size(bytes, what), what);
    return from_webp(bytes, what);
  }
  if (is_pnm(bytes)) {
    check_size(pnm_size(bytes, what), what);
    return from_pnm(bytes, what);
  }
  fail(what, bytes.empty() ? "an empty file" : "neither PNG, JPEG, WebP, binary PPM nor PGM");
}

/// PIL's conversion to "L": ITU-R 601-2 luma in 16 fractional bits, rounded.
uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

HostTensor with_channels(HostTensor image, int64_t wanted) {
  const int64_t given = image.shape[2];
  if (given == wanted) return image;
  const bool grey = given == 1;
  HostTensor result({image.shape[0], image.shape[1], wanted}, DType::u8);
  const uint8_t* in = image.as<uint8_t>().data();
  uint8_t* out = result.as<uint8_t>().data();
  for (int64_t i = 0; i < image.shape[0] * image.shape[1]; ++i, in += given, out += wanted) {
    if (wanted == 1) {
      out[0] = grey ? in[0] : luma(in);
    } else {
      for (int64_t c = 0; c < 3; ++c) out[c] = in[grey ? 0 : c];
    }
  }
  return result;
}

}  // namespace

HostTensor decode_image(std::span<const std::byte> bytes, int channels, std::string_view what) {
  if (channels != 1 && channels != 3) throw ConfigError(fmt::format("images of {} channels; 1 or 3", channels));
  return with_channels(decode(bytes, what), channels);
}

}  // namespace ascore
