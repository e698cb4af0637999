#include "kernels/conv2d/conv2d_cpu.hpp"
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

/// Output pixels [begin, end) of image `image`.
struct Run {
  int64_t image, begin, end;
  int64_t length() const { return end - begin; }
};

struct Runs {
  explicit Runs(const Conv2dShape& s)
      : size(int64_t(s.out_height()) * s.out_width()),
        per_image((size + kRun - 1) / kRun),
        count(s.images * per_image) {}
  Run operator[](int64_t i) const {
    const int64_t image = i / per_image, begin = i % per_image * kRun;
    return {image, begin, std::min(begin + kRun, size)};
  }
  int64_t size, per_image, count;
};

/// rows[p] = the input pixel (dh, dw) away from (stride h, stride w), (h, w) being the run's output p; zeros outside
/// the image. Row p begins at rows + p * pitch.
template <class T>
void gather(const Conv2dShape& s, const T* images, const Run& run, int dh, int dw, accumulator_t<T>* rows,
            int64_t pitch) {
  const T* const image = images + run.image * s.height * s.width * s.in;
  for (int64_t p = run.begin; p < run.end; ++p, rows += pitch) {
    const int64_t h = p / s.out_width() * s.stride + dh, w = p % s.out_width() * s.stride + dw;
    if (h < 0 || h >= s.height || w < 0 || w >= s.width) {
      std::fill_n(rows, s.in, accumulator_t<T>(0));
    } else {
      const T* const from = image + (h * s.width + w) * s.in;
      std::transform(from, from + s.in, rows, [](T value) { return widen(value); });
    }
  }
}

/// y = bias + the convolution of x with `weight` [out][taps][in], and what `epilogue` makes of it.
template <class T>
void convolve(Stream& stream, const Conv2dShape& s, const T* x, const accumulator_t<T>* weight,
              const accumulator_t<T>* bias, const Finish& epilogue, T* y) {
  using Acc = accumulator_t<T>;
  const int64_t depth = int64_t(s.taps()) * s.in;
  const size_t threads = static_cast<size_t>(stream.threads());
  Acc* const all_rows = take_scratch<Acc>(stream, HostScratch::rows, threads * kRun * depth);
  Acc* const all_sums = take_scratch<Acc>(stream, HostScratch::columns, threads * kRun * s.out);
  const ConstMatrixMap<Acc> weights(weight, s.out, depth);
  const Runs runs(s);
  parallel_for(stream, runs.count, 2, [&](int64_t i) {
    const Run run = runs[i];
    Acc* const rows = all_rows + omp_get_thread_num() * kRun * depth;
    MatrixMap<Acc> sums(all_sums + omp_get_thread_num() * kRun * s.out, run.length(), s.out);
    for (int tap = 0; tap < s.taps(); ++tap) {
      const int dh = tap / s.kernel * s.dilation - s.padding(), dw = tap % s.kernel * s.dilation - s.padding();
      gather(s, x, run, dh, dw, rows + int64_t(tap) * s.in, depth);
    }
    sums.noalias() = ConstMatrixMap<Acc>(rows, run.length(), depth) * weights.transpose();
    for (int64_t p = 0; bias && p < run.length(); ++p) {
      for (int o = 0; o < s.out; ++o) sums(p, o) += bias[o];
    }
    finish(epilogue, sums.data(), (run.image * runs.size + run.begin) * s.out, run.length() * s.out, y);
  });
}

}  // namespace

template <class Acc>
void turn_weights(Stream& stream, const Conv2dShape& s, const Acc* from, Acc* to) {
  constexpr int kBlock = 32;  // squares that stay in the cache while they are transposed
  parallel_for(stream, (s.in + kBlock - 1) / kBlock, 2, [&](int64_t block) {
    const int begin_o = static_cast<int>(block) * kBlock, end_o = std::min(begin_o + kBlock, s.in);
    for (int tap = 0; tap < s.taps(); ++tap) {
      for (int begin_i = 0; begin_i < s.out; begin_i += kBlock) {
        const int end_i = std::min(begin_i + kBlock, s.out);
        for (int i = begin_i; i < end_i; ++i) {
          Acc* const row = to + (int64_t(i) * s.taps() + s.taps() - 1 - tap) * s.in;
          for (int o = begin_o; o < end_o; ++o) row[o] = from[(int64_t(o) * s.taps() + tap) * s.out + i];
        }
      }
    }
  });
}
template void turn_weights<float>(Stream&, const Conv2dShape&, const float*, float*);
template void turn_weights<double>(Stream&, const Conv2dShape&, const double*, double*);

void gather_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, Weights use, ConstView bias,
                   const Finish& epilogue, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const Acc* values = weights_for<T>(stream, weight, HostScratch::weights);
    if (use == Weights::turned) {
      Acc* const turned = take_scratch<Acc>(stream, HostScratch::packed, static_cast<size_t>(weight.count()));
      turn_weights(stream, s, values, turned);
      values = turned;
    }
    convolve(stream, s, x.as<T>(), values, bias.as<Acc>(), epilogue, y.as<T>());
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
    const Runs runs(s);
    const T* const px = x.as<T>();
    const T* const pdy = dy.as<T>();
    Acc* const out = dweight.as<Acc>();
    parallel_for(stream, s.taps() * groups, 2, [&](int64_t task) {
      const int64_t tap = task / groups, first = task % groups * kOutputs;
      const int64_t width = std::min<int64_t>(kOutputs, s.out - first);
      const int dh = static_cast<int>(tap) / s.kernel * s.dilation - s.padding();
      const int dw = static_cast<int>(tap) % s.kernel * s.dilation - s.padding();
      Acc* const inputs = all_inputs + omp_get_thread_num() * kRun * s.in;
      Acc* const outputs = all_outputs + omp_get_thread_num() * kRun * s.out;
      Eigen::Map<Matrix<Acc>, 0, Eigen::OuterStride<>> sum(out + (first * s.taps() + tap) * s.in, width, s.in,
                                                           Eigen::OuterStride<>(int64_t(s.taps()) * s.in));
      sum.setZero();
      for (int64_t i = 0; i < runs.count; ++i) {
        const Run run = runs[i];
        gather(s, px, run, dh, dw, inputs, s.in);
        const T* const gradients = pdy + (run.image * runs.size + run.begin) * s.out;
        std::transform(gradients, gradients + run.length() * s.out, outputs, [](T value) { return widen(value); });
        const ConstMatrixMap<Acc> a(outputs, run.length(), s.out), b(inputs, run.length(), s.in);
        sum.noalias() += a.middleCols(first, width).transpose() * b;
      }
    });
  });
}

}  // namespace ascore::kernels::cpu
