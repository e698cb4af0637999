#include "kernels/conv2d/conv2d_cpu.hpp"
#include "kernels/conv2d/pixel_gather.hpp"
#include "kernels/conv2d/window_conv2d_backends.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/gemm/eigen_maps.hpp"
#include "kernels/gemm/host_products.hpp"

#include <algorithm>

#include <Eigen/Core>
#include <omp.h>

/// Convolution as matrix products: the neighbourhoods of a run of pixels are gathered into rows, and multiplied by the
/// weights. Runs lie inside one image and have a length that depends on nothing else, so that every product has the
/// same shape, and every image the same result, whatever the batch and the number of threads. Eigen's own threads are
/// off (EIGEN_DONT_PARALLELIZE); the loops here use the stream's.
namespace ascore::kernels::cpu {

namespace {

constexpr int64_t kRun = 64;  // pixels per product

/// Pixels [begin, end) of the grid of image `image`.
struct Run {
  int64_t image, begin, end;
  int64_t length() const { return end - begin; }
};

struct Runs {
  explicit Runs(const PixelGather& g)
      : size(int64_t(g.grid_height) * g.grid_width), per_image((size + kRun - 1) / kRun), count(g.images * per_image) {}
  Run operator[](int64_t i) const {
    const int64_t image = i / per_image, begin = i % per_image * kRun;
    return {image, begin, std::min(begin + kRun, size)};
  }
  int64_t size, per_image, count;
};

/// rows[p] = the pixel under tap (tap_h, tap_w) of the run's pixel p; zeros outside the image. Row p begins at
/// rows + p * pitch.
template <class T>
void gather(const PixelGather& g, const T* images, const Run& run, int tap_h, int tap_w, accumulator_t<T>* rows,
            int64_t pitch) {
  const T* const image = images + run.image * g.source_height * g.source_width * g.channels;
  const int64_t first_h = g.first_h + int64_t(tap_h) * g.tap_step, first_w = g.first_w + int64_t(tap_w) * g.tap_step;
  for (int64_t p = run.begin; p < run.end; ++p, rows += pitch) {
    const int64_t h = first_h + p / g.grid_width * g.row_step, w = first_w + p % g.grid_width * g.row_step;
    if (h < 0 || h >= g.source_height || w < 0 || w >= g.source_width) {
      std::fill_n(rows, g.channels, accumulator_t<T>(0));
    } else {
      const T* const from = image + (h * g.source_width + w) * g.channels;
      std::transform(from, from + g.channels, rows, [](T value) { return widen(value); });
    }
  }
}

/// Makes what `epilogue` says of a run's sums [length, out]: all at once where the run's pixels are neighbours.
template <class T>
void finish_run(const PixelGather& g, const Run& run, const Finish& epilogue, accumulator_t<T>* sums, int64_t out,
                T* y) {
  const int64_t first = run.image * g.out_height * g.out_width;
  if (g.out_step == 1) return finish(epilogue, sums, (first + run.begin) * out, run.length() * out, y);
  for (int64_t p = run.begin; p < run.end; ++p, sums += out) {
    const int64_t h = g.out_h + p / g.grid_width * g.out_step, w = g.out_w + p % g.grid_width * g.out_step;
    finish(epilogue, sums, (first + h * g.out_width + w) * out, out, y);
  }
}

/// The pixels that `g` gathers from `images` times `factor` [depth, out], plus bias, and what `epilogue` makes of it.
template <class T, class Factor>
void multiply(Stream& stream, const PixelGather& g, const T* images, const Factor& factor, const accumulator_t<T>* bias,
              const Finish& epilogue, T* y) {
  using Acc = accumulator_t<T>;
  const int64_t depth = g.depth(), out = factor.cols();
  const size_t threads = static_cast<size_t>(stream.threads());
  Acc* const all_rows = take_scratch<Acc>(stream, HostScratch::rows, threads * kRun * static_cast<size_t>(depth));
  Acc* const all_sums = take_scratch<Acc>(stream, HostScratch::columns, threads * kRun * static_cast<size_t>(out));
  const Runs runs(g);
  parallel_for(stream, runs.count, 2, [&](int64_t i) {
    const Run run = runs[i];
    Acc* const rows = all_rows + omp_get_thread_num() * kRun * depth;
    MatrixMap<Acc> sums(all_sums + omp_get_thread_num() * kRun * out, run.length(), out);
    Acc* tap = rows;
    for (int tap_h = 0; tap_h < g.taps_h; ++tap_h) {
      for (int tap_w = 0; tap_w < g.taps_w; ++tap_w, tap += g.channels) {
        gather(g, images, run, tap_h, tap_w, tap, depth);
      }
    }
    sums.noalias() = ConstMatrixMap<Acc>(rows, run.length(), depth) * factor;
    for (int64_t p = 0; bias && p < run.length(); ++p) {
      for (int64_t o = 0; o < out; ++o) sums(p, o) += bias[o];
    }
    finish_run(g, run, epilogue, sums.data(), out, y);
  });
}

/// The weights `from` [O,k,k,I] under the taps of a gather over dy: to [tap, o][i].
template <class Acc>
void select_taps(Stream& stream, const PixelGather& g, const Acc* from, int64_t in, Acc* to) {
  parallel_chunks(stream, g.depth(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t tap = k / g.channels, o = k % g.channels;
      const int64_t h = g.weight_h + tap / g.taps_w * g.weight_step, w = g.weight_w + tap % g.taps_w * g.weight_step;
      std::copy_n(from + ((o * g.kernel + h) * g.kernel + w) * in, in, to + k * in);
    }
  });
}

}  // namespace

namespace {
/// The gathered pixels times `weight` [out, depth].
void gather_products(Stream& stream, const PixelGather& g, int64_t out, ConstView x, ConstView weight, ConstView bias,
                     const Finish& epilogue, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const ConstMatrixMap<Acc> weights(weights_for<T>(stream, weight, HostScratch::weights), out, g.depth());
    multiply(stream, g, x.as<T>(), weights.transpose(), bias.as<Acc>(), epilogue, y.as<T>());
  });
}
}  // namespace

void gather_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias,
                   const Finish& epilogue, View y) {
  gather_products(stream, output_gather(s), s.out, x, weight, bias, epilogue, y);
}

void window_conv2d(Stream& stream, const PixelGather& g, ConstView x, ConstView weight, ConstView bias, MathMode,
                   View y, const Conv2dEpilogue& epilogue) {
  const Finish finish(epilogue, int64_t(g.grid_height) * g.grid_width);
  if (library_window_conv2d(stream, g, x, weight, bias, finish, y)) return;
  gather_products(stream, g, weight.dim(0), x, weight, bias, finish, y);
}

/// One product for every pixel of a stride's square, each with the taps that reach its pixels.
void gather_conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, const Finish& epilogue,
                         View dx) {
  for_cpu_float_type(dy.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const Acc* const values = weights_for<T>(stream, weight, HostScratch::weights);
    for (int parity_h = 0; parity_h < s.stride; ++parity_h) {
      for (int parity_w = 0; parity_w < s.stride; ++parity_w) {
        const PixelGather g = input_gather(s, parity_h, parity_w);
        if (g.rows() == 0) continue;
        Acc* const taps =
            take_scratch<Acc>(stream, HostScratch::packed, static_cast<size_t>(g.depth()) * static_cast<size_t>(s.in));
        select_taps(stream, g, values, s.in, taps);
        multiply(stream, g, dy.as<T>(), ConstMatrixMap<Acc>(taps, g.depth(), s.in), static_cast<const Acc*>(nullptr),
                 epilogue, dx.as<T>());
      }
    }
  });
}

/// One task per tap and group of output channels; each adds up its runs in their order.
void gather_conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight) {
  constexpr int kOutputs = 64;
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const size_t threads = static_cast<size_t>(stream.threads());
    Acc* const all_inputs = take_scratch<Acc>(stream, HostScratch::rows, threads * kRun * static_cast<size_t>(s.in));
    Acc* const all_outputs =
        take_scratch<Acc>(stream, HostScratch::columns, threads * kRun * static_cast<size_t>(s.out));
    const int64_t groups = (s.out + kOutputs - 1) / kOutputs;
    const PixelGather g = output_gather(s);
    const Runs runs(g);
    const T* const px = x.as<T>();
    const T* const pdy = dy.as<T>();
    Acc* const out = dweight.as<Acc>();
    parallel_for(stream, s.taps() * groups, 2, [&](int64_t task) {
      const int64_t tap = task / groups, first = task % groups * kOutputs;
      const int64_t width = std::min<int64_t>(kOutputs, s.out - first);
      const int tap_h = static_cast<int>(tap) / s.kernel, tap_w = static_cast<int>(tap) % s.kernel;
      Acc* const inputs = all_inputs + omp_get_thread_num() * kRun * s.in;
      Acc* const outputs = all_outputs + omp_get_thread_num() * kRun * s.out;
      Eigen::Map<Matrix<Acc>, 0, Eigen::OuterStride<>> sum(out + (first * s.taps() + tap) * s.in, width, s.in,
                                                           Eigen::OuterStride<>(int64_t(s.taps()) * s.in));
      sum.setZero();
      for (int64_t i = 0; i < runs.count; ++i) {
        const Run run = runs[i];
        gather(g, px, run, tap_h, tap_w, inputs, s.in);
        const T* const gradients = pdy + (run.image * runs.size + run.begin) * s.out;
        std::transform(gradients, gradients + run.length() * s.out, outputs, [](T value) { return widen(value); });
        const ConstMatrixMap<Acc> a(outputs, run.length(), s.out), b(inputs, run.length(), s.in);
        sum.noalias() += a.middleCols(first, width).transpose() * b;
      }
    });
  });
}

}  // namespace ascore::kernels::cpu
