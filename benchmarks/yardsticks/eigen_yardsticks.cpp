#include "benchmarks/yardsticks/eigen_yardsticks.hpp"

#include <cstring>

#include <Eigen/Core>
#include <fmt/format.h>
#include <omp.h>

namespace ascore::bench {

namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<Matrix>;
using ConstMap = Eigen::Map<const Matrix>;

ConstMap matrix(const Tensor& x, int64_t rows, int64_t cols, int64_t offset = 0) {
  return {ConstView(x).as<float>() + offset, rows, cols};
}
Map writable(const Tensor& x, int64_t rows, int64_t cols, int64_t offset = 0) {
  return {x.view().as<float>() + offset, rows, cols};
}

/// Calls copy(pixel of the output, tap, pixel of the image) for every tap that falls inside the image.
template <class Visit>
void for_taps(const ConvOperands& conv, Visit visit) {
  const int64_t height = conv.x.dim(1), width = conv.x.dim(2), taps = conv.weight.dim(1), reach = (taps - 1) / 2;
  for (int64_t h = 0; h < conv.y.dim(1); ++h) {
    for (int64_t w = 0; w < conv.y.dim(2); ++w) {
      for (int64_t tap = 0; tap < taps * taps; ++tap) {
        const int64_t row = conv.options.stride * h + conv.options.dilation * (tap / taps - reach);
        const int64_t col = conv.options.stride * w + conv.options.dilation * (tap % taps - reach);
        if (row >= 0 && row < height && col >= 0 && col < width) visit(h * conv.y.dim(2) + w, tap, row * width + col);
      }
    }
  }
}

/// The pixels that each output pixel looks at, side by side: [H'W', k k I], zeros outside the image.
void gather(const ConvOperands& conv, int64_t image, Matrix& pixels) {
  const int64_t in = conv.x.dim(3);
  const float* x = ConstView(conv.x).as<float>() + image * conv.x.dim(1) * conv.x.dim(2) * in;
  pixels.setZero();
  for_taps(conv, [&](int64_t out, int64_t tap, int64_t pixel) {
    std::memcpy(&pixels(out, tap * in), x + pixel * in, static_cast<size_t>(in) * sizeof(float));
  });
}

/// The transpose of gather.
void scatter(const ConvOperands& conv, const Matrix& pixels, int64_t image) {
  const int64_t in = conv.x.dim(3);
  Map x = writable(conv.x, conv.x.dim(1) * conv.x.dim(2), in, image * conv.x.dim(1) * conv.x.dim(2) * in);
  x.setZero();
  for_taps(conv, [&](int64_t out, int64_t tap, int64_t pixel) { x.row(pixel) += pixels.block(out, tap * in, 1, in); });
}

void run_conv2d(const ConvOperands& conv, Matrix& pixels) {
  const int64_t out = conv.weight.dim(0), per_image = conv.y.dim(1) * conv.y.dim(2), taps = pixels.cols();
  const auto weight = matrix(conv.weight, out, taps);
  if (conv.pass == kernels::Conv2dPass::wgrad) writable(conv.weight, out, taps).setZero();
  for (int64_t n = 0; n < conv.x.dim(0); ++n) {
    const auto y = matrix(conv.y, per_image, out, n * per_image * out);
    switch (conv.pass) {
      case kernels::Conv2dPass::forward:
        gather(conv, n, pixels);
        writable(conv.y, per_image, out, n * per_image * out).noalias() = pixels * weight.transpose();
        break;
      case kernels::Conv2dPass::dgrad:
        pixels.noalias() = y * weight;
        scatter(conv, pixels, n);
        break;
      case kernels::Conv2dPass::wgrad:
        gather(conv, n, pixels);
        writable(conv.weight, out, taps).noalias() += y.transpose() * pixels;
        break;
    }
  }
}

Tensor& written(ConvOperands& conv) {
  switch (conv.pass) {
    case kernels::Conv2dPass::forward:
      return conv.y;
    case kernels::Conv2dPass::dgrad:
      return conv.x;
    case kernels::Conv2dPass::wgrad:
      break;
  }
  return conv.weight;
}

}  // namespace

Yardstick eigen_conv2d(Workbench& bench, const ConvOperands& operands) {
  ConvOperands conv = operands;
  Tensor& result = written(conv);
  result = bench.empty(result.shape(), result.dtype());
  const auto pixels = std::make_shared<Matrix>(conv.y.dim(1) * conv.y.dim(2), conv.weight.count() / conv.weight.dim(0));
  return {"plain Eigen", [conv, pixels] { run_conv2d(conv, *pixels); }, result};
}

Yardstick eigen_product(Workbench& bench, const Product& p) {
  const Tensor c = bench.empty(p.c.shape(), p.c.dtype());
  const auto run = [p, c] {
    const auto a = matrix(p.a, p.a.dim(0), p.a.dim(1)), b = matrix(p.b, p.b.dim(0), p.b.dim(1));
    Map to = writable(c, c.dim(0), c.dim(1));
    if (p.transpose_a) {
      to.noalias() = a.transpose() * b;
    } else if (p.transpose_b) {
      to.noalias() = a * b.transpose();
    } else {
      to.noalias() = a * b;
    }
  };
  return {"plain Eigen", run, c};
}

Yardstick eigen_attention(Workbench& bench, const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  const Tensor y = bench.empty({q.dim(0), q.dim(1), v.dim(2)}, q.dtype());
  const auto run = [q, k, v, scale, y] {
    const int64_t queries = q.dim(1), keys = k.dim(1), depth = q.dim(2), values = v.dim(2);
    Matrix weights(queries, keys);
    for (int64_t n = 0; n < q.dim(0); ++n) {
      weights.noalias() = static_cast<float>(scale) * matrix(q, queries, depth, n * queries * depth) *
                          matrix(k, keys, depth, n * keys * depth).transpose();
      weights.colwise() -= weights.rowwise().maxCoeff().eval();
      weights = weights.array().exp();
      weights.array().colwise() /= weights.rowwise().sum().array().eval();
      writable(y, queries, values, n * queries * values).noalias() =
          weights * matrix(v, keys, values, n * keys * values);
    }
  };
  return {"plain Eigen", run, y};
}

void parallel_copy(Stream& stream, ConstView from, View to) {
  const size_t parts = static_cast<size_t>(stream.threads()), bytes = from.bytes();
#pragma omp parallel for num_threads(stream.threads()) schedule(static)
  for (size_t part = 0; part < parts; ++part) {
    const size_t begin = bytes * part / parts, end = bytes * (part + 1) / parts;
    std::memcpy(static_cast<std::byte*>(to.raw()) + begin, static_cast<const std::byte*>(from.raw()) + begin,
                end - begin);
  }
}

std::string eigen_version() {
  return fmt::format("Eigen {}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
}

}  // namespace ascore::bench
