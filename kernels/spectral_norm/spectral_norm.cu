#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/spectral_norm/spectral_norm.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Block of 32 columns: u W, the rows shared out among the lanes.
__global__ void left_product_kernel(const float* w, const float* u, float* v, int64_t O, int64_t R) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t r = int64_t(blockIdx.x) * kTileChannels + threadIdx.x;
  float sum = 0;
  for (int64_t o = threadIdx.y; r < R && o < O; o += kTileLanes) sum += u[o] * w[o * R + r];
  sum = lane_sum(sum, scratch);
  if (r < R && threadIdx.y == 0) v[r] = sum;
}

/// Block o: element o of W v^T; or, with dy in v's place row by row, row o's part of sum(dy W).
__global__ void row_products_kernel(const float* w, const float* v, int64_t v_stride, float* out, int64_t R) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const int64_t o = blockIdx.x;
  const float *const row = w + o * R, *const other = v + o * v_stride;
  float sum = 0;
  for (int64_t r = threadIdx.x; r < R; r += kThreads) sum += row[r] * other[r];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) out[o] = sum;
}

/// One block: a = a / max(|a|, 1e-12); `size`, if given, becomes the inner product of a before and after.
__global__ void normalize_kernel(float* a, int64_t count, float* size) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  float squares = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) squares += a[i] * a[i];
  squares = block_sum<kThreads>(squares, scratch);
  const float root = sqrtf(squares), norm = root > 1e-12f ? root : 1e-12f;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) a[i] = a[i] / norm;
  if (size && threadIdx.x == 0) *size = squares / norm;
}

/// One block: the sum of a, or of a b if there is b.
__global__ void total_kernel(const float* a, const float* b, int64_t count, float* total) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  float sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += b ? a[i] * b[i] : a[i];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) *total = sum;
}

__global__ void divide_kernel(const float* w, const float* sigma, float* y, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) y[i] = w[i] / *sigma;
}

__global__ void gradient_kernel(const float* dy, const float* u, const float* v, const float* sigma,
                                const float* product, float* dw, int64_t R, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const float s = *sigma;
  dw[i] = dy[i] / s - *product / (s * s) * u[i / R] * v[i % R];
}

const float* checked(ConstView w) {
  if (w.dtype() != DType::f32) throw_no_dtype(w.dtype());
  return w.as<float>();
}

}  // namespace

void spectral_norm(Stream& stream, ConstView w, ConstView u, View y, View u_next, View v, View sigma) {
  const float* const pw = checked(w);
  const int64_t O = w.dim(0), R = w.count() / O;
  launch(left_product_kernel, dim3(static_cast<unsigned>(channel_tiles(R))), tile_block(), 0, stream, pw, u.as<float>(),
         v.as<float>(), O, R);
  launch(normalize_kernel, dim3(1), kThreads, 0, stream, v.as<float>(), R, static_cast<float*>(nullptr));
  launch(row_products_kernel, dim3(static_cast<unsigned>(O)), kThreads, 0, stream, pw, v.as<float>(), 0,
         u_next.as<float>(), R);
  launch(normalize_kernel, dim3(1), kThreads, 0, stream, u_next.as<float>(), O, sigma.as<float>());
  launch(divide_kernel, blocks_for(w.count(), kThreads), kThreads, 0, stream, pw, sigma.as<float>(), y.as<float>(),
         w.count());
}

void spectral_norm_held(Stream& stream, ConstView w, ConstView u, ConstView v, View y, View sigma, View workspace) {
  const float* const pw = checked(w);
  const int64_t O = w.dim(0), R = w.count() / O;
  float* const rows = reinterpret_cast<float*>(workspace.as<uint8_t>());
  launch(row_products_kernel, dim3(static_cast<unsigned>(O)), kThreads, 0, stream, pw, v.as<float>(), 0, rows, R);
  launch(total_kernel, dim3(1), kThreads, 0, stream, rows, u.as<float>(), O, sigma.as<float>());
  launch(divide_kernel, blocks_for(w.count(), kThreads), kThreads, 0, stream, pw, sigma.as<float>(), y.as<float>(),
         w.count());
}

void spectral_norm_backward(Stream& stream, ConstView w, ConstView u_next, ConstView v, ConstView sigma, ConstView dy,
                            View dw, View workspace) {
  const float* const pw = checked(w);
  const int64_t O = w.dim(0), R = w.count() / O;
  float* const rows = reinterpret_cast<float*>(workspace.as<uint8_t>());
  float* const product = rows + O;
  launch(row_products_kernel, dim3(static_cast<unsigned>(O)), kThreads, 0, stream, pw, dy.as<float>(), R, rows, R);
  launch(total_kernel, dim3(1), kThreads, 0, stream, rows, static_cast<const float*>(nullptr), O, product);
  launch(gradient_kernel, blocks_for(w.count(), kThreads), kThreads, 0, stream, dy.as<float>(), u_next.as<float>(),
         v.as<float>(), sigma.as<float>(), product, dw.as<float>(), R, w.count());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
