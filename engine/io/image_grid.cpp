#include "engine/io/image_grid.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

namespace ascore {

HostTensor make_grid(const HostTensor& images, const GridLayout& layout) {
  const Shape& shape = images.shape;
  if (images.dtype != DType::u8) throw DTypeError(fmt::format("make_grid: {} images, not u8", name(images.dtype)));
  if (shape.rank() != 4 || shape.count() == 0 || (shape[3] != 1 && shape[3] != 3)) {
    throw ShapeError(fmt::format("make_grid: {} are no images [N,H,W,C] with 1 or 3 channels", to_string(shape)));
  }
  const int64_t N = shape[0], H = shape[1], W = shape[2], C = shape[3];
  const int64_t factor = std::max<int64_t>(1, (layout.min_side + std::min(H, W) - 1) / std::min(H, W));
  const int64_t wanted =
      layout.columns > 0 ? layout.columns : static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(N))));
  const int64_t columns = std::min(wanted, N), rows = (N + columns - 1) / columns;
  const int64_t cell_h = H * factor + layout.gap, cell_w = W * factor + layout.gap;

  HostTensor grid({rows * cell_h + layout.gap, columns * cell_w + layout.gap, C}, DType::u8);
  const std::span<uint8_t> out = grid.as<uint8_t>();
  const std::span<const uint8_t> in = images.as<uint8_t>();
  std::ranges::fill(out, layout.gap_value);
  for (int64_t n = 0; n < N; ++n) {
    const int64_t top = layout.gap + n / columns * cell_h, left = layout.gap + n % columns * cell_w;
    for (int64_t y = 0; y < H * factor; ++y) {
      for (int64_t x = 0; x < W * factor; ++x) {
        const int64_t from = ((n * H + y / factor) * W + x / factor) * C;
        const int64_t to = ((top + y) * grid.shape[1] + left + x) * C;
        std::memcpy(&out[static_cast<size_t>(to)], &in[static_cast<size_t>(from)], static_cast<size_t>(C));
      }
    }
  }
  return grid;
}

}  // namespace ascore
