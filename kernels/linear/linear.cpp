#include "kernels/linear/linear.hpp"

#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/gemm/eigen_maps.hpp"
#include "kernels/gemm/host_parts.hpp"
#include "kernels/gemm/host_products.hpp"
#include "kernels/gemm/tiles.hpp"
#include "kernels/linear/linear_cpu.hpp"
#include "kernels/linear/linear_pixels.hpp"

#include <algorithm>
#include <limits>

#include <Eigen/Core>
#include <omp.h>

namespace ascore::kernels {

namespace simt {
void linear(Stream&, ConstView x, ConstView weight, ConstView bias, MathMode, View y);
void linear_dgrad(Stream&, ConstView dy, ConstView weight, MathMode, View dx);
void linear_wgrad(Stream&, ConstView x, ConstView dy, MathMode, View dweight, View dbias, View workspace);
}  // namespace simt
namespace cuda {
decltype(simt::linear) linear;
decltype(simt::linear_dgrad) linear_dgrad;
decltype(simt::linear_wgrad) linear_wgrad;
}  // namespace cuda

namespace cpu {

namespace {

constexpr int64_t kRows = 16;  // rows per product

/// y [count, out] = x [count, in] `factor` [in, out] (+ bias), 16 rows at a time: always products of one shape (the
/// last filled up with zeros), so that a row's result depends neither on how many there are nor on the threads.
template <class T, class Factor>
void multiply_rows(Stream& stream, const T* x, int64_t count, const Factor& factor, const accumulator_t<T>* bias,
                   T* y) {
  using Acc = accumulator_t<T>;
  const int64_t in = factor.rows(), out = factor.cols(), threads = stream.threads();
  Acc* const all_rows = take_scratch<Acc>(stream, HostScratch::rows, static_cast<size_t>(threads * kRows * in));
  Acc* const all_sums = take_scratch<Acc>(stream, HostScratch::columns, static_cast<size_t>(threads * kRows * out));
  parallel_for(stream, (count + kRows - 1) / kRows, 2, [&](int64_t i) {
    const int64_t begin = i * kRows, present = std::min(kRows, count - begin);
    MatrixMap<Acc> rows(all_rows + omp_get_thread_num() * kRows * in, kRows, in);
    MatrixMap<Acc> sums(all_sums + omp_get_thread_num() * kRows * out, kRows, out);
    std::transform(x + begin * in, x + (begin + present) * in, rows.data(), [](T value) { return widen(value); });
    std::fill(rows.data() + present * in, rows.data() + kRows * in, Acc(0));
    sums.noalias() = rows * factor;
    for (int64_t r = 0; r < present; ++r) {
      for (int64_t o = 0; o < out; ++o) {
        y[(begin + r) * out + o] = narrow<T>(bias ? sums(r, o) + bias[o] : sums(r, o));
      }
    }
  });
}

/// Bytes per row that products of bf16 copy, input and output (or gradient) alike, where they are computed in f32.
size_t widened_bytes(ConstView x, ConstView y) {
  return x.dtype() == DType::bf16 ? static_cast<size_t>(x.dim(1) + y.dim(1)) * sizeof(float) : 0;
}

void multiply(Stream& stream, ConstView x, ConstView weight, ConstView bias, View y) {
  if (library_linear(stream, x, weight, bias, y)) return;
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const ConstMatrixMap<Acc> factor(weights_for<T>(stream, weight, HostScratch::weights), weight.dim(0),
                                     weight.dim(1));
    multiply_rows<T>(stream, x.as<T>(), x.dim(0), factor.transpose(), bias.as<Acc>(), y.as<T>());
  });
}

void input_gradient(Stream& stream, ConstView dy, ConstView weight, View dx) {
  if (library_linear_dgrad(stream, dy, weight, dx)) return;
  for_cpu_float_type(dy.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const ConstMatrixMap<Acc> factor(weights_for<T>(stream, weight, HostScratch::weights), weight.dim(0),
                                     weight.dim(1));
    multiply_rows<T>(stream, dy.as<T>(), dy.dim(0), factor, nullptr, dx.as<T>());
  });
}

void weight_gradient(Stream& stream, ConstView x, ConstView dy, View dweight) {
  if (library_linear_wgrad(stream, x, dy, dweight)) return;
  const int64_t count = x.dim(0), in = x.dim(1), out = dy.dim(1);
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const ConstMatrixMap<Acc> a(widened<T>(stream, dy, HostScratch::rows), count, out);
    const ConstMatrixMap<Acc> b(widened<T>(stream, x, HostScratch::columns), count, in);
    MatrixMap<Acc> sum(dweight.as<Acc>(), out, in);
    parallel_chunks(stream, out, 64, [&](int64_t begin, int64_t end) {
      sum.middleRows(begin, end - begin).noalias() = a.middleCols(begin, end - begin).transpose() * b;
    });
  });
}

}  // namespace

void linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, MathMode, View y) {
  for_parts(x.dim(0), widened_bytes(x, y), [&](int64_t begin, int64_t end) {
    multiply(stream, entries(x, begin, end), weight, bias, entries(y, begin, end));
  });
}

void linear_dgrad(Stream& stream, ConstView dy, ConstView weight, MathMode, View dx) {
  for_parts(dy.dim(0), widened_bytes(dy, dx), [&](int64_t begin, int64_t end) {
    input_gradient(stream, entries(dy, begin, end), weight, entries(dx, begin, end));
  });
}

void linear_wgrad(Stream& stream, ConstView x, ConstView dy, MathMode, View dweight, View dbias, View) {
  if (dbias) column_sums(stream, dy, x.dim(0), dy.dim(1), dbias);
  if (!dweight) return;
  if (x.dim(0) == 0) return fill_bytes(stream, dweight, 0);
  for_parts(x.dim(0), widened_bytes(x, dy), [&](int64_t begin, int64_t end) {
    const ConstView rows = entries(x, begin, end), gradients = entries(dy, begin, end);
    if (begin == 0) return weight_gradient(stream, rows, gradients, dweight);
    // Only beside bf16 operands is there a second part, and then the gradient is f32.
    float* const more = take_scratch<float>(stream, HostScratch::packed, static_cast<size_t>(dweight.count()));
    weight_gradient(stream, rows, gradients, View(more, dweight.shape(), DType::f32, Device::cpu));
    float* const sum = dweight.as<float>();
    parallel_chunks(stream, dweight.count(), 1 << 14, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) sum[i] += more[i];
    });
  });
}

}  // namespace cpu

namespace {

void check_shapes(const OpScope& op, ConstView x, const Shape& weight, ConstView y) {
  op.require(x.rank() == 2 && y.rank() == 2, "rows must be [N,I] and [N,O]");
  op.require(weight.rank() == 2 && weight[1] == x.dim(1), "weight must be [O,I] with the inputs of x [N,I]");
  op.require(y.dim(1) == weight[0] && y.dim(0) == x.dim(0), "y must be [N,O]");
  op.require(weight[0] > 0 && weight[1] > 0, "only the batch may be empty");
  constexpr int64_t kLimit = std::numeric_limits<int>::max() / 2;
  op.require(x.dim(0) < kLimit && weight.count() < kLimit, "more than 2^30 rows or weights");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
}

/// What the bias gradient alone needs.
size_t bias_workspace_bytes(Device device, ConstView x, ConstView dy) {
  if (device == Device::cpu) return 0;
  const int64_t depth = x.dim(0);
  return sizeof(float) * static_cast<size_t>(column_sum_workspace(dy.dim(1), depth));
}

void check_weight_dtype(const OpScope& op, ConstView x, ConstView weight) {
  const bool mixed = x.dtype() == DType::bf16 && weight.dtype() == DType::f32;
  op.require_dtype(weight.dtype() == x.dtype() || mixed, "weight must have the dtype of x, or f32 beside bf16");
}

}  // namespace

void linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, View y, MathMode math, View workspace) {
  const OpScope op(stream, "linear", {x, weight, bias, y, workspace});
  check_shapes(op, x, weight.shape(), y);
  op.require(!bias || bias.shape() == Shape{weight.dim(0)}, "bias must be [O]");
  check_weight_dtype(op, x, weight);
  op.require_dtype(!bias || bias.dtype() == accumulator(x.dtype()), "bias must be f32 (f64 with f64)");
  const ConstView factor = hopper_weights(stream, as_pixels(x.shape(), y.dim(1)), x.dtype(), weight, workspace);
  pick<cpu::linear, simt::linear, cuda::linear, DryCpu::counts_memory>(stream)(stream, x, factor, bias, math, y);
}

size_t linear_workspace_bytes(Stream& stream, ConstView rows, ConstView weight) {
  const Conv2dShape shape = as_pixels({rows.dim(0), weight.dim(1)}, weight.dim(0));
  return hopper_weight_bytes(stream, shape, rows.dtype(), weight);
}

void linear_dgrad(Stream& stream, ConstView dy, ConstView weight, View dx, MathMode math, View workspace) {
  const OpScope op(stream, "linear_dgrad", {dy, weight, dx, workspace});
  check_shapes(op, dx, weight.shape(), dy);
  check_weight_dtype(op, dy, weight);
  const ConstView factor = hopper_weights(stream, as_pixels(dx.shape(), dy.dim(1)), dy.dtype(), weight, workspace);
  pick<cpu::linear_dgrad, simt::linear_dgrad, cuda::linear_dgrad, DryCpu::counts_memory>(stream)(stream, dy, factor,
                                                                                                 math, dx);
}

void linear_wgrad(Stream& stream, ConstView x, ConstView dy, View dweight, View dbias, View workspace, MathMode math) {
  const OpScope op(stream, "linear_wgrad", {x, dy, dweight, dbias, workspace});
  op.require(x.rank() == 2 && dy.rank() == 2, "rows must be [N,I] and [N,O]");
  const Shape weight = dweight ? dweight.shape() : Shape{dy.dim(1), x.dim(1)};
  check_shapes(op, x, weight, dy);
  op.require(!dbias || dbias.shape() == Shape{dy.dim(1)}, "dbias must be [O]");
  const DType sums = accumulator(x.dtype());
  op.require_dtype((!dweight || dweight.dtype() == sums) && (!dbias || dbias.dtype() == sums),
                   "dweight and dbias must be f32 (f64 with f64)");
  const size_t needed = dweight ? linear_wgrad_workspace_bytes(stream.device(), x.shape(), weight)
                                : bias_workspace_bytes(stream.device(), x, dy);
  op.require(workspace.bytes() >= needed, "workspace is smaller than linear_wgrad_workspace_bytes");
  pick<cpu::linear_wgrad, simt::linear_wgrad, cuda::linear_wgrad, DryCpu::counts_memory>(stream)(
      stream, x, dy, math, dweight, dbias, workspace);
}

size_t linear_wgrad_workspace_bytes(Device device, const Shape& x, const Shape& weight) {
  if (device == Device::cpu) return 0;
  const Conv2dShape shape = as_pixels(x, weight[0]);
  const int64_t hopper = fits_hopper(shape) ? hopper_gradient_workspace(shape) : 0;
  return sizeof(float) * static_cast<size_t>(std::max(gradient_workspace(weight[0], weight[1], x[0]), hopper));
}

}  // namespace ascore::kernels
