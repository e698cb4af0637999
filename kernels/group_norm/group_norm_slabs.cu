#include "kernels/channel_norm/fused_activation.hpp"
#include "kernels/channel_norm/normalizer.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/gemm/epilogue.hpp"
#include "kernels/group_norm/group_reductions.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// A block's share of the images, and its shared memory.
template <class T>
struct SlabShared {
  Chunk<T>*x, *dy;       ///< [P][chunks]
  float* warp_sums;      ///< [warp row][2][channels]: of g, and of g xhat
  float *sums, *groups;  ///< [2][channels] each: of the block; offset and slope of its groups

  __device__ __forceinline__ SlabShared(const NormSlab& slab, int P)
      : x(reinterpret_cast<Chunk<T>*>(dynamic_shared<float>())),
        dy(x + P * slab.chunks()),
        warp_sums(reinterpret_cast<float*>(dy + P * slab.chunks())),
        sums(warp_sums + 2 * slab.warp_rows * slab.channels),
        groups(sums + 2 * slab.channels) {}
};

/// Where a thread works: always the same chunk of a pixel, and every `step`-th pixel.
struct SlabPlace {
  int chunk, row, first_pixel, step;

  __device__ __forceinline__ explicit SlabPlace(const NormSlab& slab) {
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, pixels = 32 / slab.lane_chunks;
    row = warp / slab.warp_columns;
    chunk = warp % slab.warp_columns * slab.lane_chunks + lane % slab.lane_chunks;
    first_pixel = row * pixels + lane / slab.lane_chunks;
    step = slab.warp_rows * pixels;
  }
};

/// What the thread's channels are normalised by.
template <int Count>
struct Normalizers {
  float mean[Count], rstd[Count], gamma[Count], beta[Count];

  __device__ __forceinline__ Normalizers(const NormalizerPointers& from, int64_t n, int64_t first) {
#pragma unroll
    for (int e = 0; e < Count; ++e) {
      const Normalizer one(from, n, first + e);
      mean[e] = one.mean, rstd[e] = one.rstd, gamma[e] = one.gamma, beta[e] = one.beta;
    }
  }
  /// xhat, and g = dy f'(gamma xhat + beta), of channel e.
  template <class F>
  __device__ __forceinline__ void at(const F& f, int e, float x, float dy, float& xhat, float& g) const {
    xhat = (x - mean[e]) * rstd[e];
    g = dy * f.slope(gamma[e] * xhat + beta[e]);
  }
};

/// Fetches the thread's chunks of x and dy; it may read them on return.
template <class T>
__device__ __forceinline__ void fetch(const T* x, const T* dy, bool whole, const SlabPlace& place, int P, int64_t C,
                                      int chunks, const SlabShared<T>& shared) {
  constexpr int kChunk = RowChunk<T>::kSize;
  for (int p = place.first_pixel; p < P; p += place.step) {
    const int to = p * chunks + place.chunk;
    const T *const from_x = x + p * C, *const from_dy = dy + p * C;
    if (whole) {
      cp_async<16>(shared.x + to, from_x, 16);
      cp_async<16>(shared.dy + to, from_dy, 16);
    } else {
      for (int e = 0; e < kChunk; ++e) {
        shared.x[to].values[e] = from_x[e];
        shared.dy[to].values[e] = from_dy[e];
      }
    }
  }
  cp_async_commit();
  cp_async_wait<0>();
}

/// Adds the lanes of a warp that have the same chunk, by a fixed tree; the first of them leave the sums.
template <int Count>
__device__ __forceinline__ void leave_warp_sums(float (&values)[Count], int lane_chunks, bool leaves, float* to) {
#pragma unroll
  for (int e = 0; e < Count; ++e) {
    for (int offset = 16; offset >= lane_chunks; offset /= 2) {
      values[e] += __shfl_xor_sync(kFullWarp, values[e], offset);
    }
    if (leaves) to[e] = values[e];
  }
}

/// Block (slab, n): sums and dx of some groups of image n, from one read of x and dy.
template <class T, class F>
__global__ void group_norm_slabs_kernel(F f, const T* x, const T* dy, bool whole, NormalizerPointers pointers,
                                        NormSlab slab, int width, const T* residual, float* sum_g, float* sum_gx, T* dx,
                                        int P, int64_t C) {
  constexpr int kChunk = RowChunk<T>::kSize;
  const SlabShared<T> shared(slab, P);
  const SlabPlace place(slab);
  const int channels = slab.channels, chunks = slab.chunks(), mine = place.chunk * kChunk;
  const int64_t slabs = C / channels, n = blockIdx.x / slabs, first = blockIdx.x % slabs * channels;
  const int64_t origin = n * P * C + first + mine;
  fetch(x + origin, dy + origin, whole, place, P, C, chunks, shared);
  const Normalizers<kChunk> by(pointers, n, first + mine);

  float total_g[kChunk] = {}, total_gx[kChunk] = {};
  for (int p = place.first_pixel; p < P; p += place.step) {
    const Chunk<T> xs = shared.x[p * chunks + place.chunk], dys = shared.dy[p * chunks + place.chunk];
#pragma unroll
    for (int e = 0; e < kChunk; ++e) {
      float xhat, g;
      by.at(f, e, widen(xs.values[e]), widen(dys.values[e]), xhat, g);
      total_g[e] += g;
      total_gx[e] += g * xhat;
    }
  }
  const bool leaves = int(threadIdx.x) % 32 < slab.lane_chunks;
  float* const of_warp = shared.warp_sums + 2 * place.row * channels + mine;
  leave_warp_sums(total_g, slab.lane_chunks, leaves, of_warp);
  leave_warp_sums(total_gx, slab.lane_chunks, leaves, of_warp + channels);
  __syncthreads();
  for (int i = int(threadIdx.x); i < 2 * channels; i += slab.threads()) {
    float sum = 0;
    for (int row = 0; row < slab.warp_rows; ++row) sum += shared.warp_sums[2 * row * channels + i];
    shared.sums[i] = sum;
    (i < channels ? sum_g : sum_gx)[n * C + first + i % channels] = sum;
  }
  __syncthreads();
  const int groups = channels / width;
  for (int i = int(threadIdx.x); i < 2 * groups; i += slab.threads()) {
    const int of = i % groups * width;
    const float* const sums = shared.sums + (i < groups ? 0 : channels) + of;
    float total = 0;
    for (int c = 0; c < width; ++c) total += (pointers.gamma ? pointers.gamma[first + of + c] : 1.0f) * sums[c];
    shared.groups[i] = pointers.rstd[pointers.layout(n, first + of)] / static_cast<float>(P * width) * total;
  }
  __syncthreads();

  float factor[kChunk], offset[kChunk], slope[kChunk];
#pragma unroll
  for (int e = 0; e < kChunk; ++e) {
    const int group = (mine + e) / width;
    factor[e] = by.gamma[e] * by.rstd[e];
    offset[e] = shared.groups[group], slope[e] = shared.groups[groups + group];
  }
  const RowChunk<T> move{whole, kChunk};
  for (int p = place.first_pixel; p < P; p += place.step) {
    const Chunk<T> xs = shared.x[p * chunks + place.chunk], dys = shared.dy[p * chunks + place.chunk];
    typename RowChunk<T>::Values gradient, more = {};
    if (residual) move.load(residual + origin + p * C, more);
#pragma unroll
    for (int e = 0; e < kChunk; ++e) {
      float xhat, g;
      by.at(f, e, widen(xs.values[e]), widen(dys.values[e]), xhat, g);
      gradient[e] = (factor[e] * g - offset[e]) - slope[e] * xhat;
      if (residual) gradient[e] += more[e];
    }
    move.store(dx + origin + p * C, gradient);
  }
}

}  // namespace

void group_norm_slabs(Stream& stream, const GroupNormGradient& g, const NormSlab& slab) {
  const int64_t P = g.x.dim(1) * g.x.dim(2), C = g.x.dim(3);
  const auto blocks = static_cast<unsigned>(g.x.dim(0) * (C / slab.channels));
  for_float_type(g.x.dtype(), [&]<class T>() {
    const bool whole = is_chunk_aligned(g.x.raw()) && is_chunk_aligned(g.dy.raw()) && is_chunk_aligned(g.dx.raw()) &&
                       is_chunk_aligned(g.residual.raw());
    for_fused_activation<NormMath>(g.activation, [&](auto f) {
      launch(group_norm_slabs_kernel<T, decltype(f)>, blocks, static_cast<unsigned>(slab.threads()),
             static_cast<size_t>(slab.shared_bytes(P, sizeof(T))), stream, f, g.x.as<T>(), g.dy.as<T>(), whole,
             NormalizerPointers(g.mean, g.rstd, g.gamma, g.beta, C), slab, C / g.mean.dim(1), g.residual.as<T>(),
             g.sum_g.as<float>(), g.sum_gx.as<float>(), g.dx.as<T>(), P, C);
    });
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
