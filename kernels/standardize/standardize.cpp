#include "kernels/standardize/standardize.hpp"

#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/standardize/runs.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::standardize) standardize;
decltype(kernels::standardize_backward) standardize_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::standardize) standardize;
decltype(kernels::standardize_backward) standardize_backward;
}  // namespace cuda

namespace cpu {
namespace {

/// total of term(i) over [0, count), run by run: the runs share the threads, and are added up in order.
template <class Term>
double sum_of_runs(Stream& stream, int64_t count, double* parts, Term&& term) {
  parallel_chunks(stream, count, kStandardizeRun, [&](int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += term(i);
    parts[begin / kStandardizeRun] = sum;
  });
  double total = 0;
  for (int64_t run = 0; run * kStandardizeRun < count; ++run) total += parts[run];
  return total;
}

}  // namespace

void standardize(Stream& stream, ConstView x, View y, View statistics, View workspace) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    const int64_t count = x.count();
    const T* const px = x.as<T>();
    double* const parts = reinterpret_cast<double*>(workspace.as<uint8_t>());
    const double first = static_cast<double>(px[0]);  // counted from here, nothing is lost far from zero
    const double sum = sum_of_runs(stream, count, parts, [=](int64_t i) { return static_cast<double>(px[i]) - first; });
    const double mean = first + sum / static_cast<double>(count);
    const double squares = sum_of_runs(stream, count, parts, [=](int64_t i) {
      const double d = static_cast<double>(px[i]) - mean;
      return d * d;
    });
    const T factor = static_cast<T>(1 / (squares / static_cast<double>(count - 1) + kStandardizeEpsilon));
    statistics.as<T>()[0] = static_cast<T>(mean);
    statistics.as<T>()[1] = factor;
    map_elements(
        stream, [=](T value) { return factor * value; }, count, y.as<T>(), px);
  });
}

void standardize_backward(Stream& stream, ConstView x, ConstView statistics, ConstView dy, View dx, View workspace) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    const int64_t count = x.count();
    const T *const px = x.as<T>(), *const pdy = dy.as<T>();
    const T mean = statistics.as<T>()[0], factor = statistics.as<T>()[1];
    double* const parts = reinterpret_cast<double*>(workspace.as<uint8_t>());
    const double product = sum_of_runs(
        stream, count, parts, [=](int64_t i) { return static_cast<double>(pdy[i]) * static_cast<double>(px[i]); });
    const double square = static_cast<double>(factor) * static_cast<double>(factor);
    const T slope = static_cast<T>(2 * square * product / static_cast<double>(count - 1));
    const auto f = [=](T value, T gradient) { return factor * gradient - slope * (value - mean); };
    map_elements(stream, f, count, dx.as<T>(), px, pdy);
  });
}
}  // namespace cpu

size_t standardize_workspace_bytes(const Shape& x) {
  return static_cast<size_t>(2 * standardize_runs(x) + 1) * sizeof(double);
}

namespace {
void check(const OpScope& op, ConstView x, ConstView other, ConstView statistics, ConstView workspace) {
  op.require(x.count() >= 2, "x must have at least two elements: the variance is unbiased");
  op.require(other.shape() == x.shape() && statistics.shape() == Shape{2}, "all must have one shape, statistics [2]");
  op.require(workspace.bytes() >= standardize_workspace_bytes(x.shape()),
             "the workspace must have standardize_workspace_bytes");
  op.require_dtype(other.dtype() == x.dtype() && statistics.dtype() == x.dtype(), "all must have one dtype");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
}
}  // namespace

void standardize(Stream& stream, ConstView x, View y, View statistics, View workspace) {
  const OpScope op(stream, "standardize", {x, y, statistics, workspace});
  check(op, x, y, statistics, workspace);
  pick<cpu::standardize, simt::standardize, cuda::standardize>(stream)(stream, x, y, statistics, workspace);
}

void standardize_backward(Stream& stream, ConstView x, ConstView statistics, ConstView dy, View dx, View workspace) {
  const OpScope op(stream, "standardize_backward", {x, statistics, dy, dx, workspace});
  check(op, x, dy, statistics, workspace);
  check(op, x, dx, statistics, workspace);
  pick<cpu::standardize_backward, simt::standardize_backward, cuda::standardize_backward>(stream)(stream, x, statistics,
                                                                                                  dy, dx, workspace);
}

}  // namespace ascore::kernels
