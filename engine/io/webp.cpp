#include "engine/io/webp.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

#ifdef ASCORE_HAS_WEBP

#include <webp/decode.h>

namespace ascore {

const bool kWebpBuilt = true;

namespace {

const uint8_t* pointer(std::span<const std::byte> bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace

std::array<int64_t, 2> webp_size(std::span<const std::byte> bytes, std::string_view what) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(pointer(bytes), bytes.size(), &features) != VP8_STATUS_OK) {
    throw DataError(fmt::format("{}: a truncated or damaged WebP image", what));
  }
  if (features.has_animation) throw DataError(fmt::format("{}: a WebP animation, not an image", what));
  return {features.height, features.width};
}

HostTensor from_webp(std::span<const std::byte> bytes, std::string_view what) {
  const auto [height, width] = webp_size(bytes, what);
  HostTensor image({height, width, 3}, DType::u8);
  const int stride = static_cast<int>(3 * width);
  if (!WebPDecodeRGBInto(pointer(bytes), bytes.size(), image.as<uint8_t>().data(), image.bytes.size(), stride)) {
    throw DataError(fmt::format("{}: a truncated or damaged WebP image", what));
  }
  return image;
}

}  // namespace ascore

#else

namespace ascore {

const bool kWebpBuilt = false;

std::array<int64_t, 2> webp_size(std::span<const std::byte>, std::string_view what) {
  throw DeviceError(
      fmt::format("{}: a WebP image, and this build has no WebP; install libwebp-dev, build again", what));
}

HostTensor from_webp(std::span<const std::byte> bytes, std::string_view what) {
  webp_size(bytes, what);
  return {};
}

}  // namespace ascore

#endif
