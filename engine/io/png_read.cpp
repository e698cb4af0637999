#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_FAILURE_STRINGS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace ascore {

namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
constexpr int64_t kLargestSide = 30'000, kMostPixels = int64_t{1} << 27;
constexpr size_t kMostBytes = size_t{1} << 30;

uint32_t big_endian(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (const std::byte byte : bytes.first(4)) value = value << 8 | std::to_integer<uint32_t>(byte);
  return value;
}

/// Sums of all chunks, from the header to the end: stb_image does not look at them.
void check_chunks(std::span<const std::byte> png, std::string_view what) {
  const auto broken = [&](const char* why) { throw DataError(fmt::format("{}: a broken PNG picture: {}", what, why)); };
  if (png.size() < kSignature.size() || std::memcmp(png.data(), kSignature.data(), kSignature.size()) != 0) {
    throw DataError(fmt::format("{}: not a PNG picture", what));
  }
  for (std::span<const std::byte> rest = png.subspan(kSignature.size());;) {
    if (rest.size() < 12) broken("it ends early");
    const uint32_t length = big_endian(rest);
    if (length > rest.size() - 12) broken("it ends early");
    if (crc32(rest.subspan(4, size_t{length} + 4)) != big_endian(rest.subspan(8 + size_t{length}))) {
      broken("a chunk's CRC-32 does not match");
    }
    if (std::memcmp(rest.data() + 4, "IEND", 4) == 0) return;
    rest = rest.subspan(12 + size_t{length});
  }
}

/// What the header, which is the first chunk, says of the size: before anybody asks for that much memory.
void require_size(std::span<const std::byte> png, std::string_view what) {
  constexpr size_t kWidth = 16, kHeight = 20;
  if (std::memcmp(png.data() + 12, "IHDR", 4) != 0 || png.size() < kHeight + 4) {
    throw DataError(fmt::format("{}: a broken PNG picture: it does not begin with its header", what));
  }
  const int64_t width = big_endian(png.subspan(kWidth)), height = big_endian(png.subspan(kHeight));
  if (std::max(width, height) > kLargestSide || width * height > kMostPixels || png.size() > kMostBytes) {
    throw DataError(
        fmt::format("{}: a picture of {} x {} pixels in {} bytes; at most {} a side, {} in all and {} bytes are read",
                    what, width, height, png.size(), kLargestSide, kMostPixels, kMostBytes));
  }
}

}  // namespace

HostTensor from_png(std::span<const std::byte> png, std::string_view what) {
  check_chunks(png, what);
  require_size(png, what);
  const auto* bytes = reinterpret_cast<const stbi_uc*>(png.data());
  const int size = static_cast<int>(png.size());
  int width = 0, height = 0, channels = 0;
  if (!stbi_info_from_memory(bytes, size, &width, &height, &channels)) {
    throw DataError(fmt::format("{}: a broken PNG picture: its header makes no sense", what));
  }
  const int wanted = channels <= 2 ? 1 : 3;  // without alpha
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes, size, &width, &height, &channels, wanted), stbi_image_free);
  if (!pixels) throw DataError(fmt::format("{}: a broken PNG picture: its pixels cannot be unpacked", what));
  HostTensor picture({height, width, wanted}, DType::u8);
  std::memcpy(picture.bytes.data(), pixels.get(), picture.bytes.size());
  return picture;
}

HostTensor read_png(const std::filesystem::path& path) {
  return from_png(read_file(path), path.string());
}

}  // namespace ascore
