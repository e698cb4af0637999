#include "kernels/ms_ssim/ms_ssim.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/ms_ssim/ssim_levels.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::ms_ssim) ms_ssim;
decltype(kernels::ms_ssim_backward) ms_ssim_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::ms_ssim) ms_ssim;
decltype(kernels::ms_ssim_backward) ms_ssim_backward;
}  // namespace cuda

namespace cpu {
namespace {

/// Elements of a row that are worked on together: their sums stay in the first-level cache.
constexpr int64_t kTile = 256;

/// Moments of the windows whose first row is `row` of image n, of elements [begin, end) of that row; body(element,
/// moments) is called for each.
template <class T, class Body>
void for_windows(const SsimLevel& level, const SsimWeights<T>& weights, const T* x, const T* y, int64_t n, int64_t row,
                 int64_t begin, int64_t end, Body&& body) {
  T sums[5][kTile] = {};
  for (int i = 0; i < kSsimWindow; ++i) {
    for (int j = 0; j < kSsimWindow; ++j) {
      const T weight = weights.weight[i] * weights.weight[j];
      const int64_t from = ((n * level.H + row + i) * level.W + j) * level.C + begin;
      const T *const px = x + from, *const py = y + from;
#pragma omp simd
      for (int64_t k = 0; k < end - begin; ++k) {
        const T wx = weight * px[k], wy = weight * py[k];
        sums[0][k] += wx;
        sums[1][k] += wy;
        sums[2][k] += wx * px[k];
        sums[3][k] += wy * py[k];
        sums[4][k] += wx * py[k];
      }
    }
  }
  for (int64_t k = 0; k < end - begin; ++k) {
    body(begin + k, SsimMoments<T>{sums[0][k], sums[1][k], sums[2][k], sums[3][k], sums[4][k]});
  }
}

/// means[n,c] of the level's term; rows: N rows() C scratch elements.
template <class T>
void level_means(Stream& stream, const SsimLevel& level, const T* x, const T* y, bool last, double* rows,
                 double* means) {
  const SsimWeights<T> weights;
  const int64_t R = level.rows(), C = level.C, width = level.columns() * C;
  parallel_for(stream, level.N * R, 2, [&](int64_t i) {
    double* const sums = rows + i * C;
    std::fill(sums, sums + C, 0.0);
    for (int64_t begin = 0; begin < width; begin += kTile) {
      for_windows(level, weights, x, y, i / R, i % R, begin, std::min(width, begin + kTile),
                  [&](int64_t k, const SsimMoments<T>& moments) {
                    sums[k % C] += static_cast<double>(SsimTerm<T>(moments, last).value);
                  });
    }
  });
  for (int64_t n = 0; n < level.N; ++n) {
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t row = 0; row < R; ++row) sum += rows[(n * R + row) * C + c];
      means[n * C + c] = sum / static_cast<double>(R * level.columns());
    }
  }
}

/// 2x2 means of the finer level; what lies before an odd side counts as zero.
template <class T>
void halve(Stream& stream, const SsimLevel& fine, const SsimLevel& coarse, const T* x, T* y) {
  const int64_t pad_y = fine.H % 2, pad_x = fine.W % 2, C = fine.C;
  parallel_for(stream, coarse.N * coarse.H, 8, [&](int64_t i) {
    const int64_t n = i / coarse.H, first = 2 * (i % coarse.H) - pad_y;
    for (int64_t k = 0; k < coarse.W * C; ++k) {
      T sum = 0;
      for (int64_t row = std::max<int64_t>(first, 0); row < first + 2; ++row) {
        const int64_t column = 2 * (k / C) - pad_x, at = ((n * fine.H + row) * fine.W + column) * C + k % C;
        if (column >= 0) sum += x[at];
        sum += x[at + C];
      }
      y[i * coarse.W * C + k] = T(0.25) * sum;
    }
  });
}

/// The level's three gradient maps, one behind the other: slope times the derivatives of each window's term.
template <class T>
void gradient_maps(Stream& stream, const SsimLevel& level, const T* x, const T* y, bool last, const T* slopes, T grad,
                   T* maps) {
  const SsimWeights<T> weights;
  const int64_t R = level.rows(), C = level.C, width = level.columns() * C, count = level.windows();
  const T share = grad / static_cast<T>(R * level.columns());
  parallel_for(stream, level.N * R, 2, [&](int64_t i) {
    for (int64_t begin = 0; begin < width; begin += kTile) {
      for_windows(level, weights, x, y, i / R, i % R, begin, std::min(width, begin + kTile),
                  [&](int64_t k, const SsimMoments<T>& moments) {
                    const SsimTerm<T> term(moments, last);
                    const T slope = share * slopes[i / R * C + k % C];
                    T* const to = maps + i * width + k;
                    to[0] = slope * term.by_x;
                    to[count] = slope * term.by_xx;
                    to[2 * count] = slope * term.by_xy;
                  });
    }
  });
}

/// dx of a level: the maps spread over their windows, and what comes from the coarser level, if there is one.
template <class T>
void spread(Stream& stream, const SsimLevel& level, const T* x, const T* y, const T* maps, const SsimLevel* coarse,
            const T* from_coarse, T* dx) {
  const SsimWeights<T> weights;
  const int64_t C = level.C, width = level.columns() * C, count = level.windows();
  parallel_for(stream, level.N * level.H, 2, [&](int64_t line) {
    const int64_t n = line / level.H, row = line % level.H, first = line * level.W * C;
    for (int64_t begin = 0; begin < level.W * C; begin += kTile) {
      const int64_t end = std::min(level.W * C, begin + kTile);
      T sums[3][kTile] = {};
      for (int i = 0; i < kSsimWindow; ++i) {
        if (row - i < 0 || row - i >= level.rows()) continue;
        for (int j = 0; j < kSsimWindow; ++j) {
          const T weight = weights.weight[i] * weights.weight[j];
          const int64_t low = std::max(begin, j * C), high = std::min(end, j * C + width);
          const T* const map = maps + (n * level.rows() + row - i) * width - j * C;
#pragma omp simd
          for (int64_t k = low; k < high; ++k) {
            sums[0][k - begin] += weight * map[k];
            sums[1][k - begin] += weight * map[count + k];
            sums[2][k - begin] += weight * map[2 * count + k];
          }
        }
      }
      for (int64_t k = begin; k < end; ++k) {
        T sum = sums[0][k - begin] + 2 * x[first + k] * sums[1][k - begin] + y[first + k] * sums[2][k - begin];
        if (coarse) {
          const int64_t parent_row = (row + level.H % 2) / 2, parent = (k / C + level.W % 2) / 2;
          sum += T(0.25) * from_coarse[((n * coarse->H + parent_row) * coarse->W + parent) * C + k % C];
        }
        dx[first + k] = sum;
      }
    }
  });
}

/// The result, and its derivatives, from the levels' means [5, N C].
template <class T>
void combine(const double* means, int64_t count, T* similarity, T* slopes) {
  double total = 0;
  for (int64_t i = 0; i < count; ++i) {
    double product = 1;
    for (int l = 0; l < kSsimLevels; ++l) {
      product *= std::pow(std::max(means[l * count + i], 0.0), ssim_exponent<double>(l));
    }
    for (int l = 0; l < kSsimLevels; ++l) {
      const double mean = means[l * count + i], slope = ssim_exponent<double>(l) * product / mean;
      slopes[l * count + i] = static_cast<T>(mean > 0 ? slope / static_cast<double>(count) : 0.0);
    }
    total += product;
  }
  *similarity = static_cast<T>(total / static_cast<double>(count));
}

}  // namespace

void ms_ssim(Stream& stream, ConstView x, ConstView y, View similarity, View slopes, View pyramid, View workspace) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    const auto levels = ssim_levels(x.shape());
    const int64_t count = levels[0].N * levels[0].C;
    T* const parts = pyramid.as<T>();
    double* const means = reinterpret_cast<double*>(workspace.as<uint8_t>());
    for (size_t l = 0; l < kSsimLevels; ++l) {
      const T* const px = level_images<const T>(levels, l, x.as<T>(), parts, false);
      const T* const py = level_images<const T>(levels, l, y.as<T>(), parts, true);
      level_means(stream, levels[l], px, py, l + 1 == kSsimLevels, means + kSsimLevels * count,
                  means + static_cast<int64_t>(l) * count);
      if (l + 1 == kSsimLevels) break;
      halve(stream, levels[l], levels[l + 1], px, level_images<T>(levels, l + 1, nullptr, parts, false));
      halve(stream, levels[l], levels[l + 1], py, level_images<T>(levels, l + 1, nullptr, parts, true));
    }
    combine(means, count, similarity.as<T>(), slopes.as<T>());
  });
}

void ms_ssim_backward(Stream& stream, ConstView x, ConstView y, ConstView slopes, ConstView pyramid,
                      ConstView grad_similarity, View dx, View workspace) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    const auto levels = ssim_levels(x.shape());
    const int64_t count = levels[0].N * levels[0].C;
    T* const gradients = reinterpret_cast<T*>(workspace.as<uint8_t>());  // of x's levels in the pyramid
    T* const maps = gradients + pyramid_half(levels);
    for (size_t l = kSsimLevels; l-- > 0;) {
      const bool last = l + 1 == kSsimLevels;
      const T* const px = level_images(levels, l, x.as<T>(), pyramid.as<T>(), false);
      const T* const py = level_images(levels, l, y.as<T>(), pyramid.as<T>(), true);
      gradient_maps(stream, levels[l], px, py, last, slopes.as<T>() + static_cast<int64_t>(l) * count,
                    *grad_similarity.as<T>(), maps);
      spread<T>(stream, levels[l], px, py, maps, last ? nullptr : &levels[l + 1],
                last ? nullptr : gradients + levels[l + 1].offset,
                level_images(levels, l, dx.as<T>(), gradients, false));
    }
  });
}

}  // namespace cpu

int64_t ms_ssim_pyramid_elements(const Shape& x) {
  return 2 * pyramid_half(ssim_levels(x));
}

size_t ms_ssim_workspace_bytes(const Shape& x, DType) {
  return static_cast<size_t>((kSsimLevels + x[1]) * x[0] * x[3]) * sizeof(double);
}

size_t ms_ssim_backward_workspace_bytes(const Shape& x, DType dtype) {
  const auto levels = ssim_levels(x);
  return static_cast<size_t>(pyramid_half(levels) + 3 * levels[0].windows()) * size_of(dtype);
}

namespace {
void check(const OpScope& op, ConstView x, ConstView y, ConstView scalar, ConstView slopes, ConstView pyramid,
           ConstView workspace) {
  op.require(x.rank() == 4 && y.shape() == x.shape(), "x and y must be [N,H,W,C]");
  op.require(x.dim(1) > kMsSsimSide && x.dim(2) > kMsSsimSide, "both sides must be above 160 pixels");
  op.require(x.dim(0) >= 1 && x.dim(3) >= 1, "there must be an image and a channel");
  op.require(scalar.count() == 1 && slopes.shape() == Shape{kSsimLevels, x.dim(0), x.dim(3)} &&
                 pyramid.count() == ms_ssim_pyramid_elements(x.shape()),
             "similarity must be one element, slopes [5,N,C], pyramid of ms_ssim_pyramid_elements");
  op.require_dtype(y.dtype() == x.dtype() && scalar.dtype() == x.dtype() && slopes.dtype() == x.dtype() &&
                       pyramid.dtype() == x.dtype(),
                   "all must have one dtype");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
}
}  // namespace

void ms_ssim(Stream& stream, ConstView x, ConstView y, View similarity, View slopes, View pyramid, View workspace) {
  const OpScope op(stream, "ms_ssim", {x, y, similarity, slopes, pyramid, workspace});
  check(op, x, y, similarity, slopes, pyramid, workspace);
  op.require(workspace.bytes() >= ms_ssim_workspace_bytes(x.shape(), x.dtype()),
             "the workspace must have ms_ssim_workspace_bytes");
  pick<cpu::ms_ssim, simt::ms_ssim, cuda::ms_ssim>(stream)(stream, x, y, similarity, slopes, pyramid, workspace);
}

void ms_ssim_backward(Stream& stream, ConstView x, ConstView y, ConstView slopes, ConstView pyramid,
                      ConstView grad_similarity, View dx, View workspace) {
  const OpScope op(stream, "ms_ssim_backward", {x, y, slopes, pyramid, grad_similarity, dx, workspace});
  check(op, x, y, grad_similarity, slopes, pyramid, workspace);
  op.require(dx.shape() == x.shape(), "dx must have the shape of x");
  op.require_dtype(dx.dtype() == x.dtype(), "dx must have the dtype of x");
  op.require(workspace.bytes() >= ms_ssim_backward_workspace_bytes(x.shape(), x.dtype()),
             "the workspace must have ms_ssim_backward_workspace_bytes");
  pick<cpu::ms_ssim_backward, simt::ms_ssim_backward, cuda::ms_ssim_backward>(stream)(stream, x, y, slopes, pyramid,
                                                                                      grad_similarity, dx, workspace);
}

}  // namespace ascore::kernels
