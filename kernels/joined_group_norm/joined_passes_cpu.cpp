#include "kernels/channel_norm/fused_activation.hpp"
#include "kernels/channel_norm/statistics_layout.hpp"
#include "kernels/core/channel_tiles_cpu.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/vector_math.hpp"
#include "kernels/joined_group_norm/joined_passes.hpp"

#include <algorithm>

/// One image after the other: a tile of channels lies in one of them.
namespace ascore::kernels::cpu {

namespace {

struct Math {
  template <class A>
  static A exp(A x) {
    return vector_exp(x);
  }
};

/// One of the two images, and where its channels begin among all.
struct Part {
  ConstView image;
  int64_t first, all;  ///< channels

  int64_t pixels() const { return image.dim(1) * image.dim(2); }
  int64_t channels() const { return image.dim(3); }
  /// Channel c of pixel p of image n, in the part's memory.
  int64_t own(int64_t n, int64_t p, int64_t c) const { return (n * pixels() + p) * channels() + c; }
  /// The same in joined memory.
  int64_t joined(int64_t n, int64_t p, int64_t c) const { return (n * pixels() + p) * all + first + c; }
};

template <class Body>
void for_parts(ConstView a, ConstView b, const Body& body) {
  const int64_t all = a.dim(3) + b.dim(3);
  body(Part{a, 0, all});
  body(Part{b, a.dim(3), all});
}

/// What a tile of a part's channels, from `c` on, is normalised by.
template <class Acc>
struct Normalizer {
  int64_t statistic[kChannelTile];
  Acc mean[kChannelTile], rstd[kChannelTile], gamma[kChannelTile], beta[kChannelTile];

  Normalizer(const JoinedNormalizer& by, const Part& part, int64_t n, int64_t c, int64_t width) {
    const StatisticsLayout layout(by.rstd, part.all);
    for (int64_t i = 0; i < width; ++i) {
      const int64_t channel = part.first + c + i;
      statistic[i] = layout(n, channel);
      mean[i] = by.mean.as<Acc>()[statistic[i]];
      rstd[i] = by.rstd.as<Acc>()[statistic[i]];
      gamma[i] = by.gamma ? by.gamma.as<Acc>()[channel] : Acc(1);
      beta[i] = by.beta ? by.beta.as<Acc>()[channel] : Acc(0);
    }
  }
};

}  // namespace

void joined_moments(Stream& stream, ConstView a, ConstView b, View mean, View squares) {
  for_cpu_float_type(a.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    for_parts(a, b, [&](const Part& part) {
      const int64_t P = part.pixels(), pitch = part.channels();
      for_channel_tiles(stream, a.dim(0), pitch, [&](int64_t n, int64_t c, int64_t width) {
        const T* const from = part.image.as<T>() + part.own(n, 0, c);
        const int64_t to = n * part.all + part.first + c;
        double sums[kChannelTile];
        Acc middle[kChannelTile];
        channel_sums<Acc>(
            P, width, [=](int64_t p, int64_t i) { return widen(from[p * pitch + i]); }, sums);
        for (int64_t i = 0; i < width; ++i) {
          mean.as<Acc>()[to + i] = middle[i] = static_cast<Acc>(sums[i] / static_cast<double>(P));
        }
        const Acc* const center = middle;
        const auto square = [=](int64_t p, int64_t i) {
          const Acc d = widen(from[p * pitch + i]) - center[i];
          return d * d;
        };
        channel_sums<Acc>(P, width, square, sums);
        for (int64_t i = 0; i < width; ++i) squares.as<Acc>()[to + i] = static_cast<Acc>(sums[i]);
      });
    });
  });
}

void joined_norm(Stream& stream, ConstView a, ConstView b, const JoinedNormalizer& by, View y) {
  for_cpu_float_type(a.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    for_fused_activation<Math>(by.activation, [&](auto f) {
      for_parts(a, b, [&](const Part& part) {
        for_pixel_tiles(stream, part.image.shape(),
                        [&](int64_t n, int64_t c, int64_t width, int64_t begin, int64_t end) {
                          const Normalizer<Acc> tile(by, part, n, c, width);
                          Acc factor[kChannelTile];
                          for (int64_t i = 0; i < width; ++i) factor[i] = tile.gamma[i] * tile.rstd[i];
                          for (int64_t p = begin; p < end; ++p) {
                            const T* const from = part.image.as<T>() + part.own(n, p, c);
                            T* const to = y.as<T>() + part.joined(n, p, c);
#pragma omp simd
                            for (int64_t i = 0; i < width; ++i) {
                              to[i] = narrow<T>(f((widen(from[i]) - tile.mean[i]) * factor[i] + tile.beta[i]));
                            }
                          }
                        });
      });
    });
  });
}

void joined_sums(Stream& stream, ConstView a, ConstView b, ConstView dy, const JoinedNormalizer& by, View sum_g,
                 View sum_gx) {
  for_cpu_float_type(a.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    constexpr int64_t kRun = 64;  // pixels whose terms stay in the first-level cache
    for_fused_activation<Math>(by.activation, [&](auto f) {
      for_parts(a, b, [&](const Part& part) {
        const int64_t P = part.pixels();
        for_channel_tiles(stream, a.dim(0), part.channels(), [&](int64_t n, int64_t c, int64_t width) {
          double total_g[kChannelTile] = {}, total_gx[kChannelTile] = {}, sums[kChannelTile];
          alignas(64) Acc gs[kRun * kChannelTile], gxs[kRun * kChannelTile];
          for (int64_t begin = 0; begin < P; begin += kRun) {
            const Normalizer<Acc> tile(by, part, n, c, width);
            const int64_t run = std::min(kRun, P - begin);
            for (int64_t p = 0; p < run; ++p) {
              const T* const from = part.image.as<T>() + part.own(n, begin + p, c);
              const T* const grad = dy.as<T>() + part.joined(n, begin + p, c);
              Acc *const g = gs + p * kChannelTile, *const gx = gxs + p * kChannelTile;
#pragma omp simd
              for (int64_t i = 0; i < width; ++i) {
                const Acc xhat = (widen(from[i]) - tile.mean[i]) * tile.rstd[i];
                g[i] = widen(grad[i]) * f.slope(tile.gamma[i] * xhat + tile.beta[i]);
                gx[i] = g[i] * xhat;
              }
            }
            const auto add = [&](const Acc* terms, double* total) {
              channel_sums<Acc>(
                  run, width, [=](int64_t p, int64_t i) { return terms[p * kChannelTile + i]; }, sums);
              for (int64_t i = 0; i < width; ++i) total[i] += sums[i];
            };
            add(gs, total_g);
            add(gxs, total_gx);
          }
          const int64_t to = n * part.all + part.first + c;
          for (int64_t i = 0; i < width; ++i) {
            sum_g.as<Acc>()[to + i] = static_cast<Acc>(total_g[i]);
            sum_gx.as<Acc>()[to + i] = static_cast<Acc>(total_gx[i]);
          }
        });
      });
    });
  });
}

void joined_gradient(Stream& stream, ConstView a, ConstView b, ConstView dy, const JoinedNormalizer& by,
                     ConstView offset, ConstView slope, ConstView residual_a, ConstView residual_b, View da, View db) {
  for_cpu_float_type(a.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    for_fused_activation<Math>(by.activation, [&](auto f) {
      for_parts(a, b, [&](const Part& part) {
        const View dx = part.first == 0 ? da : db;
        const ConstView residual = part.first == 0 ? residual_a : residual_b;
        if (!dx) return;
        for_pixel_tiles(stream, part.image.shape(),
                        [&](int64_t n, int64_t c, int64_t width, int64_t begin, int64_t end) {
                          const Normalizer<Acc> tile(by, part, n, c, width);
                          Acc factor[kChannelTile], shift[kChannelTile], tilt[kChannelTile];
                          for (int64_t i = 0; i < width; ++i) {
                            factor[i] = tile.gamma[i] * tile.rstd[i];
                            shift[i] = offset.as<Acc>()[tile.statistic[i]];
                            tilt[i] = slope.as<Acc>()[tile.statistic[i]];
                          }
                          for (int64_t p = begin; p < end; ++p) {
                            const T* const from = part.image.as<T>() + part.own(n, p, c);
                            const T* const grad = dy.as<T>() + part.joined(n, p, c);
                            T* const to = dx.as<T>() + part.own(n, p, c);
                            const auto gradient = [&](int64_t i) {
                              const Acc xhat = (widen(from[i]) - tile.mean[i]) * tile.rstd[i];
                              const Acc g = widen(grad[i]) * f.slope(tile.gamma[i] * xhat + tile.beta[i]);
                              return (factor[i] * g - shift[i]) - tilt[i] * xhat;
                            };
                            if (residual) {
                              const T* const more = residual.as<T>() + part.own(n, p, c);
#pragma omp simd
                              for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(gradient(i) + widen(more[i]));
                            } else {
#pragma omp simd
                              for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(gradient(i));
                            }
                          }
                        });
      });
    });
  });
}

}  // namespace ascore::kernels::cpu
