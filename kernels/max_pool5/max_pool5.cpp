#include "kernels/max_pool5/max_pool5.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::max_pool5) max_pool5;
decltype(kernels::max_pool5_backward) max_pool5_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::max_pool5) max_pool5;
decltype(kernels::max_pool5_backward) max_pool5_backward;
}  // namespace cuda

namespace cpu {
namespace {

constexpr int64_t kRadius = 2, kTaps = 5;
/// The pieces that are worked on: output rows that share their rows' maxima, and channels of them in the first-level
/// cache.
constexpr int64_t kRows = 8, kBand = kRows + 2 * kRadius, kTile = 32;

struct Extent {
  int64_t H, W, C;
};

/// The five taps of one dimension around `at`; those outside repeat the border, so that none is a special case: being
/// equal to the border they never beat it, and where they come first they carry its number.
struct Taps {
  int64_t at[kTaps];
  int32_t number[kTaps];
  Taps(int64_t center, int64_t size) {
    for (int64_t k = 0; k < kTaps; ++k) {
      at[k] = std::clamp<int64_t>(center - kRadius + k, 0, size - 1);
      number[k] = static_cast<int32_t>(at[k] - center + kRadius);
    }
  }
};

template <class A>
inline bool beats(A value, A best) {
  return (value > best) | (value != value);
}

/// Rows [begin, end) of an image, at most kRows, separably: maxima along rows for a column of the band, and from these
/// the windows' maxima. First along the row, then down the column: the first in row order wins a tie.
template <bool kWithWinner, class T>
void pool_band(const T* x, T* y, uint8_t* winner, const Extent& extent, int64_t begin, int64_t end) {
  using A = accumulator_t<T>;
  const auto [H, W, C] = extent;
  const int64_t top = std::max<int64_t>(begin - kRadius, 0), bottom = std::min(end + kRadius, H);
  alignas(64) A row_best[kBand][kTile];
  alignas(64) int32_t row_number[kBand][kTile];
  for (int64_t w = 0; w < W; ++w) {
    const Taps across(w, W);
    for (int64_t first = 0; first < C; first += kTile) {
      const int64_t width = std::min(kTile, C - first);
      for (int64_t h = top; h < bottom; ++h) {
        const T* taps[kTaps];
        for (int64_t k = 0; k < kTaps; ++k) taps[k] = x + (h * W + across.at[k]) * C + first;
        A* const best_out = row_best[h - top];
        int32_t* const number_out = row_number[h - top];
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) {
          A best = widen(taps[0][i]);
          int32_t number = across.number[0];
          for (int64_t k = 1; k < kTaps; ++k) {
            const A value = widen(taps[k][i]);
            const bool better = beats(value, best);
            best = better ? value : best;
            if constexpr (kWithWinner) number = better ? across.number[k] : number;
          }
          best_out[i] = best;
          if constexpr (kWithWinner) number_out[i] = number;
        }
      }
      for (int64_t h = begin; h < end; ++h) {
        const Taps down(h, H);
        const int64_t at = (h * W + w) * C + first;
        const A* rows[kTaps];
        const int32_t* numbers[kTaps];
        for (int64_t k = 0; k < kTaps; ++k) {
          rows[k] = row_best[down.at[k] - top];
          numbers[k] = row_number[down.at[k] - top];
        }
        T* const to = y + at;
        uint8_t* const to_winner = kWithWinner ? winner + at : nullptr;
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) {
          A best = rows[0][i];
          int32_t number = 0;
          if constexpr (kWithWinner) number = numbers[0][i] + 5 * down.number[0];
          for (int64_t k = 1; k < kTaps; ++k) {
            const A value = rows[k][i];
            const bool better = beats(value, best);
            best = better ? value : best;
            if constexpr (kWithWinner) number = better ? numbers[k][i] + 5 * down.number[k] : number;
          }
          to[i] = narrow<T>(best);
          if constexpr (kWithWinner) to_winner[i] = static_cast<uint8_t>(number);
        }
      }
    }
  }
}

/// Row h of dx: every pixel asks the up to 25 windows that hold it.
template <class T>
void gather_row(const uint8_t* winner, const T* dy, T* dx, const Extent& extent, int64_t h) {
  using A = accumulator_t<T>;
  const auto [H, W, C] = extent;
  for (int64_t w = 0; w < W; ++w) {
    for (int64_t first = 0; first < C; first += kTile) {
      const int64_t width = std::min(kTile, C - first);
      alignas(64) A sum[kTile] = {};
      for (int64_t i = std::max<int64_t>(h - kRadius, 0); i <= std::min(h + kRadius, H - 1); ++i) {
        for (int64_t j = std::max<int64_t>(w - kRadius, 0); j <= std::min(w + kRadius, W - 1); ++j) {
          const int32_t number = static_cast<int32_t>(5 * (h - i + kRadius) + (w - j + kRadius));
          const int64_t at = (i * W + j) * C + first;
          const uint8_t* const from_winner = winner + at;
          const T* const from = dy + at;
#pragma omp simd
          for (int64_t c = 0; c < width; ++c) {
            const A value = widen(from[c]);
            sum[c] += static_cast<int32_t>(from_winner[c]) == number ? value : A(0);
          }
        }
      }
      T* const to = dx + (h * W + w) * C + first;
#pragma omp simd
      for (int64_t c = 0; c < width; ++c) to[c] = narrow<T>(sum[c]);
    }
  }
}

}  // namespace

void max_pool5(Stream& stream, ConstView x, View y, View winner) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const Extent extent{x.dim(1), x.dim(2), x.dim(3)};
    const int64_t image = extent.H * extent.W * extent.C, bands = (extent.H + kRows - 1) / kRows;
    const T* const px = x.as<T>();
    T* const py = y.as<T>();
    uint8_t* const pw = winner.present() ? winner.as<uint8_t>() : nullptr;
    parallel_for(stream, x.dim(0) * bands, 2, [&](int64_t i) {
      const int64_t at = i / bands * image, begin = i % bands * kRows, end = std::min(extent.H, begin + kRows);
      if (pw) {
        pool_band<true>(px + at, py + at, pw + at, extent, begin, end);
      } else {
        pool_band<false>(px + at, py + at, pw, extent, begin, end);
      }
    });
  });
}

void max_pool5_backward(Stream& stream, ConstView winner, ConstView dy, View dx) {
  for_cpu_float_type(dy.dtype(), [&]<class T>() {
    const Extent extent{dy.dim(1), dy.dim(2), dy.dim(3)};
    const int64_t image = extent.H * extent.W * extent.C;
    const uint8_t* const pw = winner.as<uint8_t>();
    const T* const pdy = dy.as<T>();
    T* const pdx = dx.as<T>();
    parallel_for(stream, dy.dim(0) * extent.H, 2, [&](int64_t i) {
      const int64_t at = i / extent.H * image;
      gather_row(pw + at, pdy + at, pdx + at, extent, i % extent.H);
    });
  });
}
}  // namespace cpu

void max_pool5(Stream& stream, ConstView x, View y, View winner) {
  const OpScope op(stream, "max_pool5", {x, y, winner});
  op.require(x.rank() == 4 && y.shape() == x.shape() && (!winner || winner.shape() == x.shape()),
             "x, y and winner must be [N,H,W,C]");
  op.require_dtype(y.dtype() == x.dtype(), "x and y must have one dtype");
  op.require_dtype(!winner || winner.dtype() == DType::u8, "winner must be u8");
  if (x.count() == 0) return;
  pick<cpu::max_pool5, simt::max_pool5, cuda::max_pool5>(stream)(stream, x, y, winner);
}

void max_pool5_backward(Stream& stream, ConstView winner, ConstView dy, View dx) {
  const OpScope op(stream, "max_pool5_backward", {winner, dy, dx});
  op.require(dy.rank() == 4 && winner.shape() == dy.shape() && dx.shape() == dy.shape(),
             "winner, dy and dx must be [N,H,W,C]");
  op.require_dtype(dx.dtype() == dy.dtype(), "dy and dx must have one dtype");
  op.require_dtype(winner.dtype() == DType::u8, "winner must be u8");
  if (dy.count() == 0) return;
  pick<cpu::max_pool5_backward, simt::max_pool5_backward, cuda::max_pool5_backward>(stream)(stream, winner, dy, dx);
}

}  // namespace ascore::kernels
