#pragma once

#include "kernels/conv2d/conv2d_epilogue.hpp"
#include "kernels/conv2d/conv2d_sources.hpp"
#include "kernels/gemm/epilogue.hpp"

/// The products whose rows are pixels: a convolution's outputs and the gradients of its inputs.
namespace ascore::kernels::ASCORE_BACKEND {

/// Block (m, n): one tile of pixels x channels of an image batch [pixels, columns].
template <class T, TileKind kind, Contiguous along_weights, class WeightSource, class Epilogue>
__global__ void __launch_bounds__(tile_size(kind).threads())
    pixel_product_kernel(PixelSource<T> pixels, bool pixel_chunks, WeightSource weights, bool weight_chunks,
                         Epilogue epilogue, bool epilogue_chunks, int columns, MathMode math) {
  constexpr TileSize kSize = tile_size(kind);
  const int first_row = int(blockIdx.x) * kSize.rows, first_column = int(blockIdx.y) * kSize.columns;
  const Loader<T, Contiguous::depth, kSize.rows, kSize.threads(), PixelSource<T>> a(pixels, first_row, pixel_chunks);
  const Loader<T, along_weights, kSize.columns, kSize.threads(), WeightSource> b(weights, first_column, weight_chunks);
  typename Tile<kind>::Sums sums = {};
  multiply_slices<T, kind>(a, b, 0, pixels.depth_count, math, sums);

  const PixelGather& g = pixels.gather;
  const auto pixel = [&](int tile_row) -> int64_t {
    const int row = first_row + tile_row;
    if (row >= pixels.row_count) return -1;
    if (g.out_step == 1) return row;
    const int line = g.by_grid_width.quotient(row), j = g.by_grid_width.remainder(row, line);
    const int n = g.by_grid_height.quotient(line), i = g.by_grid_height.remainder(line, n);
    return (int64_t(n) * g.out_height + g.out_h + i * g.out_step) * g.out_width + g.out_w + j * g.out_step;
  };
  store_tile<T, kind>(sums, first_column, columns, epilogue_chunks, pixel, epilogue);
}

/// Starts it. `weights` [columns, depth] lie along `along_weights` in runs of `weight_run` elements. What is measured
/// comes in square tiles, whatever its size: fewer kernels to compile.
template <Contiguous along_weights, class T, class WeightSource, class Epilogue>
void multiply_pixels(Stream& stream, const T* source, const PixelGather& gather, const WeightSource& weights,
                     int64_t weight_run, const Epilogue& epilogue, int columns, MathMode math) {
  const PixelSource<T> pixels{source, gather, gather.rows(), gather.depth()};
  const auto start = [&]<TileKind kind>() {
    constexpr TileSize kSize = tile_size(kind);
    const dim3 grid(static_cast<unsigned>(tiles_along(gather.rows(), kSize.rows)),
                    static_cast<unsigned>(tiles_along(columns, kSize.columns)));
    launch(pixel_product_kernel<T, kind, along_weights, WeightSource, Epilogue>, grid, kSize.threads(),
           kSize.shared_bytes(), stream, pixels, copies_chunks<T>(source, gather.channels), weights,
           copies_chunks<T>(weights.base(), weight_run), epilogue,
           columns % Slice<T>::kChunk == 0 && epilogue.moves_chunks(), columns, math);
  };
  const TileKind kind = choose_tile(gather.rows(), columns);
  if constexpr (Epilogue::kMeasures) {
    if (kind == TileKind::large) return start.template operator()<TileKind::large>();
    start.template operator()<TileKind::medium>();
  } else {
    for_tile(kind, start);
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
