#include "engine/io/png.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace ascore {

std::vector<std::byte> to_png(const HostTensor& picture) {
  const Shape& shape = picture.shape;
  if (picture.dtype != DType::u8) throw DTypeError(fmt::format("png: {} pixels, not u8", name(picture.dtype)));
  if (shape.rank() != 3 || shape[0] < 1 || shape[1] < 1 || shape[0] > 30000 || shape[1] > 30000 ||
      (shape[2] != 1 && shape[2] != 3 && shape[2] != 4)) {
    throw ShapeError(
        fmt::format("png: {} is no picture [H,W,C] with 1, 3 or 4 channels and sides up to 30000", to_string(shape)));
  }
  const int height = static_cast<int>(shape[0]), width = static_cast<int>(shape[1]),
            channels = static_cast<int>(shape[2]);
  std::vector<std::byte> png;
  const auto append = [](void* context, void* data, int size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    static_cast<std::vector<std::byte>*>(context)->assign(bytes, bytes + size);
  };
  if (!stbi_write_png_to_func(append, &png, width, height, channels, picture.bytes.data(), width * channels)) {
    throw OutOfMemoryError(fmt::format("png: no memory to pack a picture of {}", to_string(shape)));
  }
  return png;
}

void write_png(const std::filesystem::path& path, const HostTensor& picture) {
  write_file_atomically(path, to_png(picture));
}

}  // namespace ascore
