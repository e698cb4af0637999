#include "kernels/cross_entropy/cross_entropy.hpp"

#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ascore::kernels {

namespace simt {
decltype(kernels::cross_entropy) cross_entropy;
decltype(kernels::cross_entropy_backward) cross_entropy_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::cross_entropy) cross_entropy;
decltype(kernels::cross_entropy_backward) cross_entropy_backward;
}  // namespace cuda

namespace cpu {

constexpr int64_t kRowsAtOnce = 64;

/// A row's greatest value, and the sum of exp(x - greatest).
template <class T>
struct SoftmaxOf {
  SoftmaxOf(const T* row, int64_t classes) : greatest(*std::max_element(row, row + classes)) {
    for (int64_t k = 0; k < classes; ++k) sum += std::exp(row[k] - greatest);
  }
  T greatest, sum = 0;
};

/// The true class has the greatest value, and is the first that has it.
template <class T>
bool is_hit(const T* row, int64_t classes, int64_t label) {
  return std::max_element(row, row + classes) - row == label && row[label] == row[label];
}

template <class T>
void cross_entropy_of(Stream& stream, ConstView x, ConstView labels, View per_sample, View hits, View mean) {
  const int64_t samples = x.dim(0), classes = x.dim(1);
  parallel_for(stream, samples, kRowsAtOnce, [&](int64_t n) {
    const T* const row = x.as<T>() + n * classes;
    const int64_t label = labels.as<int32_t>()[n];
    const bool known = label >= 0 && label < classes;
    const SoftmaxOf<T> softmax(row, classes);
    per_sample.as<T>()[n] =
        known ? (softmax.greatest - row[label]) + std::log(softmax.sum) : std::numeric_limits<T>::quiet_NaN();
    if (hits.present()) hits.as<T>()[n] = known && is_hit(row, classes, label) ? T(1) : T(0);
  });
  double sum = 0;
  for (int64_t n = 0; n < samples; ++n) sum += static_cast<double>(per_sample.as<T>()[n]);
  *mean.as<T>() = static_cast<T>(sum / static_cast<double>(samples));
}

void cross_entropy(Stream& stream, ConstView x, ConstView labels, View per_sample, View hits, View mean) {
  x.dtype() == DType::f64 ? cross_entropy_of<double>(stream, x, labels, per_sample, hits, mean)
                          : cross_entropy_of<float>(stream, x, labels, per_sample, hits, mean);
}

template <class T>
void cross_entropy_backward_of(Stream& stream, ConstView x, ConstView labels, ConstView grad_mean, View grad_x) {
  const int64_t samples = x.dim(0), classes = x.dim(1);
  const T factor = *grad_mean.as<T>() / static_cast<T>(samples);
  parallel_for(stream, samples, kRowsAtOnce, [&](int64_t n) {
    const T* const row = x.as<T>() + n * classes;
    T* const grad = grad_x.as<T>() + n * classes;
    const SoftmaxOf<T> softmax(row, classes);
    for (int64_t k = 0; k < classes; ++k) {
      const T share = std::exp(row[k] - softmax.greatest) / softmax.sum;
      grad[k] = factor * (share - static_cast<T>(k == labels.as<int32_t>()[n]));
    }
  });
}

void cross_entropy_backward(Stream& stream, ConstView x, ConstView labels, ConstView grad_mean, View grad_x) {
  x.dtype() == DType::f64 ? cross_entropy_backward_of<double>(stream, x, labels, grad_mean, grad_x)
                          : cross_entropy_backward_of<float>(stream, x, labels, grad_mean, grad_x);
}

}  // namespace cpu

namespace {

void check_inputs(const OpScope& op, ConstView x, ConstView labels) {
  op.require(x.rank() == 2 && x.dim(0) >= 1 && x.dim(1) >= 1, "x must be [N,K] with at least one sample and class");
  op.require(labels.rank() == 1 && labels.dim(0) == x.dim(0), "labels must be [N]");
  op.require_dtype(x.dtype() == DType::f32 || x.dtype() == DType::f64, "x must be f32, or f64 on the cpu");
  op.require_dtype(labels.dtype() == DType::i32, "labels must be i32");
}

}  // namespace

void cross_entropy(Stream& stream, ConstView x, ConstView labels, View per_sample, View hits, View mean) {
  const OpScope op(stream, "cross_entropy", {x, labels, per_sample, hits, mean});
  check_inputs(op, x, labels);
  op.require(per_sample.count() == x.dim(0) && mean.count() == 1, "per_sample must be [N] and mean one element");
  op.require(!hits.present() || hits.count() == x.dim(0), "hits must be [N]");
  op.require_dtype(per_sample.dtype() == x.dtype() && mean.dtype() == x.dtype(), "results must have the dtype of x");
  op.require_dtype(!hits.present() || hits.dtype() == x.dtype(), "hits must have the dtype of x");
  pick<cpu::cross_entropy, simt::cross_entropy, cuda::cross_entropy>(stream)(stream, x, labels, per_sample, hits, mean);
}

void cross_entropy_backward(Stream& stream, ConstView x, ConstView labels, ConstView grad_mean, View grad_x) {
  const OpScope op(stream, "cross_entropy_backward", {x, labels, grad_mean, grad_x});
  check_inputs(op, x, labels);
  op.require(grad_x.shape() == x.shape() && grad_mean.count() == 1, "grad_x must be as x and grad_mean one element");
  op.require_dtype(grad_x.dtype() == x.dtype() && grad_mean.dtype() == x.dtype(), "gradients must have the dtype of x");
  pick<cpu::cross_entropy_backward, simt::cross_entropy_backward, cuda::cross_entropy_backward>(stream)(
      stream, x, labels, grad_mean, grad_x);
}

}  // namespace ascore::kernels
