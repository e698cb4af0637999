#include "kernels/gemm/part_sums.hpp"
#include "kernels/gemm/tile.hpp"
#include "kernels/linear/linear.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Block (m, n): 64 rows x 64 outputs of y; k = input.
template <class T, class W>
__global__ void __launch_bounds__(kTileThreads)
    linear_kernel(const T* x, const W* weight, const float* bias, T* y, int count, int in, int out) {
  const int first = int(blockIdx.x) * kTile, first_out = int(blockIdx.y) * kTile;
  float sum[4][4] = {};
  multiply_tile<Walk::depth, Walk::depth>(
      0, in,
      [&](int e, int k) {
        const int n = first + share_row<Walk::depth>(e);
        return n < count ? widen(x[int64_t(n) * in + k]) : 0.0f;
      },
      [&](int e, int k) {
        const int o = first_out + share_row<Walk::depth>(e);
        return o < out ? weight_for<T>(weight[int64_t(o) * in + k]) : 0.0f;
      },
      sum);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int n = first + tile_row(i);
    if (n >= count) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int o = first_out + tile_column(j);
      if (o < out) y[int64_t(n) * out + o] = narrow<T>(bias ? sum[i][j] + bias[o] : sum[i][j]);
    }
  }
}

/// Block (m, n): 64 rows x 64 inputs of dx; k = output.
template <class T, class W>
__global__ void __launch_bounds__(kTileThreads)
    linear_dgrad_kernel(const T* dy, const W* weight, T* dx, int count, int in, int out) {
  const int first = int(blockIdx.x) * kTile, first_in = int(blockIdx.y) * kTile;
  const int column = first_in + share_row<Walk::rows>(0);
  float sum[4][4] = {};
  multiply_tile<Walk::depth, Walk::rows>(
      0, out,
      [&](int e, int k) {
        const int n = first + share_row<Walk::depth>(e);
        return n < count ? widen(dy[int64_t(n) * out + k]) : 0.0f;
      },
      [&](int, int k) { return column < in ? weight_for<T>(weight[int64_t(k) * in + column]) : 0.0f; }, sum);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int n = first + tile_row(i);
    if (n >= count) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int c = first_in + tile_column(j);
      if (c < in) dx[int64_t(n) * in + c] = narrow<T>(sum[i][j]);
    }
  }
}

/// Block (m, n, part): 64 outputs x 64 inputs of the weight gradient; k = the part's rows.
template <class T>
__global__ void __launch_bounds__(kTileThreads)
    linear_wgrad_kernel(const T* x, const T* dy, int count, int in, int out, int per_part, float* parts) {
  const int first_out = int(blockIdx.x) * kTile, first_in = int(blockIdx.y) * kTile;
  const int row = first_out + share_row<Walk::rows>(0), column = first_in + share_row<Walk::rows>(0);
  const int begin = int(blockIdx.z) * per_part, end = begin + per_part < count ? begin + per_part : count;
  float sum[4][4] = {};
  multiply_tile<Walk::rows, Walk::rows>(
      begin, end, [&](int, int n) { return row < out ? widen(dy[int64_t(n) * out + row]) : 0.0f; },
      [&](int, int n) { return column < in ? widen(x[int64_t(n) * in + column]) : 0.0f; }, sum);
  float* const to = parts + int64_t(blockIdx.z) * out * in;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int o = first_out + tile_row(i);
    if (o >= out) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int c = first_in + tile_column(j);
      if (c < in) to[int64_t(o) * in + c] = sum[i][j];
    }
  }
}

}  // namespace

void linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, View y) {
  for_product_types(x.dtype(), weight.dtype(), [&]<class T, class W>() {
    launch(linear_kernel<T, W>, tile_grid(x.dim(0), weight.dim(0)), kTileThreads, 0, stream, x.as<T>(), weight.as<W>(),
           bias.as<float>(), y.as<T>(), x.dim(0), x.dim(1), weight.dim(0));
  });
}

void linear_dgrad(Stream& stream, ConstView dy, ConstView weight, View dx) {
  for_product_types(dy.dtype(), weight.dtype(), [&]<class T, class W>() {
    launch(linear_dgrad_kernel<T, W>, tile_grid(dx.dim(0), dx.dim(1)), kTileThreads, 0, stream, dy.as<T>(),
           weight.as<W>(), dx.as<T>(), dx.dim(0), dx.dim(1), dy.dim(1));
  });
}

void linear_wgrad(Stream& stream, ConstView x, ConstView dy, View dweight, View dbias, View workspace) {
  const int64_t count = x.dim(0), in = x.dim(1), out = dy.dim(1);
  const int parts = product_parts(out, in, count);
  float* const scratch = static_cast<float*>(workspace.raw());
  for_float_type(x.dtype(), [&]<class T>() {
    if (dweight) {
      float* const to = parts > 1 ? scratch : dweight.as<float>();
      launch(linear_wgrad_kernel<T>, tile_grid(out, in, parts), kTileThreads, 0, stream, x.as<T>(), dy.as<T>(), count,
             in, out, depth_per_part(count, parts), to);
      if (parts > 1) add_parts<float>(stream, to, parts, out * in, dweight.as<float>());
    }
    if (dbias) column_sum(stream, dy.as<T>(), count, int(out), dbias.as<float>(), scratch);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
