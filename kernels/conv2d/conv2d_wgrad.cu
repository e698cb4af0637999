#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/conv2d_sources.hpp"
#include "kernels/gemm/mainloop.hpp"
#include "kernels/gemm/part_sums.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Block (m, n, part): one tile of output channels x (tap, input channel) of the weight gradient, summed over the
/// part's pixels.
template <class T, TileKind kind>
__global__ void __launch_bounds__(tile_size(kind).threads())
    conv2d_wgrad_kernel(MatrixSource<T> dy, bool dy_chunks, TurnedPixelSource<T> x, bool x_chunks, int per_part,
                        float* parts, bool pairs, MathMode math) {
  constexpr TileSize kSize = tile_size(kind);
  const int first_row = int(blockIdx.x) * kSize.rows, first_column = int(blockIdx.y) * kSize.columns;
  const int rows = dy.row_count, columns = x.source.depth_count;
  const int begin = int(blockIdx.z) * per_part, end = min(begin + per_part, dy.depth_count);
  dy.depth_count = x.source.row_count = end;
  const Loader<T, Contiguous::rows, kSize.rows, kSize.threads(), MatrixSource<T>> a(dy, first_row, dy_chunks);
  const Loader<T, Contiguous::rows, kSize.columns, kSize.threads(), TurnedPixelSource<T>> b(x, first_column, x_chunks);
  typename Tile<kind>::Sums sums = {};
  multiply_slices<T, kind>(a, b, begin, end, math, sums);

  float* const out = parts + int64_t(blockIdx.z) * rows * columns;
  Tile<kind>::for_pairs(sums, [&](int tile_row, int tile_column, float v0, float v1) {
    const int row = first_row + tile_row;
    if (row < rows) store_pair(out + int64_t(row) * columns, first_column + tile_column, columns, pairs, v0, v1);
  });
}

template <class T>
void weight_gradient(Stream& stream, const Conv2dShape& s, const T* x, const T* dy, MathMode math, float* scratch,
                     float* dweight) {
  const int64_t pixels = s.out_pixels(), columns = s.depth();
  const int parts = product_parts(s.out, columns, pixels);
  float* const out = parts > 1 ? scratch : dweight;
  const MatrixSource<T> a{dy, 1, s.out, s.out, static_cast<int>(pixels)};
  const TurnedPixelSource<T> b{{x, output_gather(s), static_cast<int>(pixels), s.depth()}};
  for_tile(choose_tile(s.out, columns, true), [&]<TileKind kind>() {
    constexpr TileSize kSize = tile_size(kind);
    const dim3 grid(static_cast<unsigned>(tiles_along(s.out, kSize.rows)),
                    static_cast<unsigned>(tiles_along(columns, kSize.columns)), static_cast<unsigned>(parts));
    launch(conv2d_wgrad_kernel<T, kind>, grid, kSize.threads(), kSize.shared_bytes(), stream, a,
           copies_chunks<T>(dy, s.out), b, copies_chunks<T>(x, s.in), depth_per_part(pixels, parts), out,
           stores_pairs(out, columns), math);
  });
  if (parts > 1) add_parts<float>(stream, out, parts, s.out * columns, dweight);
}

}  // namespace

void conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, MathMode math, View dweight,
                  View dbias, View workspace) {
  float* const scratch = static_cast<float*>(workspace.raw());
  const bool hopper = dweight && s.images > 0 && fits_hopper(s) &&
                      static_cast<int64_t>(workspace.bytes() / sizeof(float)) >= hopper_gradient_workspace(s) &&
                      runs_on_hopper(stream, {x, dy}, {dweight, workspace});
  if (hopper) hopper_conv2d_wgrad(stream, s, x, dy, dweight, scratch);
  for_float_type(x.dtype(), [&]<class T>() {
    if (dweight && !hopper) weight_gradient(stream, s, x.as<T>(), dy.as<T>(), math, scratch, dweight.as<float>());
    if (dbias) column_sum(stream, dy.as<T>(), dy.count() / s.out, s.out, dbias.as<float>(), scratch);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
