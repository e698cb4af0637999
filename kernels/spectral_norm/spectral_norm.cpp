#include "kernels/spectral_norm/spectral_norm.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>
#include <cmath>

namespace ascore::kernels {

namespace simt {
decltype(kernels::spectral_norm) spectral_norm;
decltype(kernels::spectral_norm_held) spectral_norm_held;
decltype(kernels::spectral_norm_backward) spectral_norm_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::spectral_norm) spectral_norm;
decltype(kernels::spectral_norm_held) spectral_norm_held;
decltype(kernels::spectral_norm_backward) spectral_norm_backward;
}  // namespace cuda

namespace {

template <class Body>
void for_weight_type(DType dtype, Body&& body) {
  if (dtype == DType::f64) return body.template operator()<double>();
  if (dtype == DType::f32) return body.template operator()<float>();
  throw_no_dtype(dtype);
}

}  // namespace

namespace cpu {
namespace {

/// sum a[i] b[i] in 16 lanes, vectorised, and these in order, in f64.
template <class T>
double dot(const T* a, const T* b, int64_t count) {
  constexpr int64_t kLanes = 16, kRun = 1024;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t end = std::min(count, begin + kRun), whole = begin + (end - begin) / kLanes * kLanes;
    alignas(64) T lanes[kLanes] = {};
    for (int64_t i = begin; i < whole; i += kLanes) {
#pragma omp simd
      for (int64_t k = 0; k < kLanes; ++k) lanes[k] += a[i + k] * b[i + k];
    }
    for (int64_t k = 0; k < kLanes; ++k) total += static_cast<double>(lanes[k]);
    for (int64_t i = whole; i < end; ++i) total += static_cast<double>(a[i] * b[i]);
  }
  return total;
}

template <class T>
void normalize(T* a, int64_t count) {
  const T scale = static_cast<T>(1 / std::max(std::sqrt(dot(a, a, count)), 1e-12));
  for (int64_t i = 0; i < count; ++i) a[i] *= scale;
}

template <class T>
void divide(Stream& stream, const T* w, T divisor, T* y, int64_t count) {
  parallel_chunks(stream, count, 1 << 14, [&](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) y[i] = w[i] / divisor;
  });
}

}  // namespace

void spectral_norm(Stream& stream, ConstView w, ConstView u, View y, View u_next, View v, View sigma) {
  for_weight_type(w.dtype(), [&]<class T>() {
    const int64_t O = w.dim(0), R = w.count() / O;
    const T *const pw = w.as<T>(), *const pu = u.as<T>();
    T *const next = u_next.as<T>(), *const pv = v.as<T>();
    parallel_chunks(stream, R, 256, [&](int64_t begin, int64_t end) {
      std::fill(pv + begin, pv + end, T(0));
      for (int64_t o = 0; o < O; ++o) {
        const T factor = pu[o];
        const T* const row = pw + o * R;
#pragma omp simd
        for (int64_t r = begin; r < end; ++r) pv[r] += factor * row[r];
      }
    });
    normalize(pv, R);
    parallel_for(stream, O, 16, [&](int64_t o) { next[o] = static_cast<T>(dot(pw + o * R, pv, R)); });
    // sigma = u' W v^T = |W v^T|, but for the smallest of norms: with t = W v^T, u' = t / max(|t|, 1e-12).
    const double squares = dot(next, next, O), norm = std::max(std::sqrt(squares), 1e-12);
    const T singular = static_cast<T>(squares / norm), scale = static_cast<T>(1 / norm);
    for (int64_t o = 0; o < O; ++o) next[o] *= scale;
    *sigma.as<T>() = singular;
    divide(stream, pw, singular, y.as<T>(), O * R);
  });
}

void spectral_norm_held(Stream& stream, ConstView w, ConstView u, ConstView v, View y, View sigma, View workspace) {
  for_weight_type(w.dtype(), [&]<class T>() {
    const int64_t O = w.dim(0), R = w.count() / O;
    const T *const pw = w.as<T>(), *const pu = u.as<T>(), *const pv = v.as<T>();
    double* const rows = reinterpret_cast<double*>(workspace.as<uint8_t>());
    parallel_for(stream, O, 16, [&](int64_t o) { rows[o] = dot(pw + o * R, pv, R); });
    double singular = 0;
    for (int64_t o = 0; o < O; ++o) singular += static_cast<double>(pu[o]) * rows[o];
    *sigma.as<T>() = static_cast<T>(singular);
    divide(stream, pw, static_cast<T>(singular), y.as<T>(), O * R);
  });
}

void spectral_norm_backward(Stream& stream, ConstView w, ConstView u_next, ConstView v, ConstView sigma, ConstView dy,
                            View dw, View workspace) {
  for_weight_type(w.dtype(), [&]<class T>() {
    const int64_t O = w.dim(0), R = w.count() / O;
    const T *const pw = w.as<T>(), *const pu = u_next.as<T>(), *const pv = v.as<T>(), *const pdy = dy.as<T>();
    T* const pdw = dw.as<T>();
    double* const rows = reinterpret_cast<double*>(workspace.as<uint8_t>());
    parallel_for(stream, O, 16, [&](int64_t o) { rows[o] = dot(pw + o * R, pdy + o * R, R); });
    double product = 0;
    for (int64_t o = 0; o < O; ++o) product += rows[o];
    const double singular = static_cast<double>(*sigma.as<T>());
    const T inverse = static_cast<T>(1 / singular);
    parallel_for(stream, O, 16, [&](int64_t o) {
      const T factor = static_cast<T>(product / (singular * singular) * static_cast<double>(pu[o]));
      const T* const from = pdy + o * R;
      T* const to = pdw + o * R;
#pragma omp simd
      for (int64_t r = 0; r < R; ++r) to[r] = from[r] * inverse - factor * pv[r];
    });
  });
}
}  // namespace cpu

void spectral_norm(Stream& stream, ConstView w, ConstView u, View y, View u_next, View v, View sigma) {
  const OpScope op(stream, "spectral_norm", {w, u, y, u_next, v, sigma});
  op.require(w.rank() >= 1 && y.shape() == w.shape(), "w and y must have one shape, [O,...]");
  const int64_t O = w.dim(0);
  op.require(u.count() == O && u_next.count() == O && v.count() * O == w.count() && sigma.count() == 1,
             "u must have O elements, v as many as a row of w, sigma one");
  op.require_dtype(y.dtype() == w.dtype() && u.dtype() == w.dtype() && u_next.dtype() == w.dtype() &&
                       v.dtype() == w.dtype() && sigma.dtype() == w.dtype(),
                   "all must have one dtype");
  if (w.count() == 0) return;
  pick<cpu::spectral_norm, simt::spectral_norm, cuda::spectral_norm>(stream)(stream, w, u, y, u_next, v, sigma);
}

void spectral_norm_held(Stream& stream, ConstView w, ConstView u, ConstView v, View y, View sigma, View workspace) {
  const OpScope op(stream, "spectral_norm_held", {w, u, v, y, sigma, workspace});
  op.require(w.rank() >= 1 && y.shape() == w.shape(), "w and y must have one shape, [O,...]");
  op.require(u.count() == w.dim(0) && v.count() * w.dim(0) == w.count() && sigma.count() == 1,
             "u must have O elements, v as many as a row of w, sigma one");
  op.require(workspace.bytes() >= spectral_norm_workspace_bytes(w.shape(), w.dtype()),
             "the workspace must have spectral_norm_workspace_bytes");
  op.require_dtype(
      y.dtype() == w.dtype() && u.dtype() == w.dtype() && v.dtype() == w.dtype() && sigma.dtype() == w.dtype(),
      "all must have one dtype");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
  if (w.count() == 0) return;
  pick<cpu::spectral_norm_held, simt::spectral_norm_held, cuda::spectral_norm_held>(stream)(stream, w, u, v, y, sigma,
                                                                                            workspace);
}

size_t spectral_norm_workspace_bytes(const Shape& w, DType) {
  return static_cast<size_t>(w[0] + 1) * sizeof(double);
}

void spectral_norm_backward(Stream& stream, ConstView w, ConstView u_next, ConstView v, ConstView sigma, ConstView dy,
                            View dw, View workspace) {
  const OpScope op(stream, "spectral_norm_backward", {w, u_next, v, sigma, dy, dw, workspace});
  op.require(w.rank() >= 1 && dy.shape() == w.shape() && dw.shape() == w.shape(), "w, dy and dw must have one shape");
  const int64_t O = w.dim(0);
  op.require(u_next.count() == O && v.count() * O == w.count() && sigma.count() == 1,
             "u must have O elements, v as many as a row of w, sigma one");
  op.require(workspace.bytes() >= spectral_norm_workspace_bytes(w.shape(), w.dtype()),
             "the workspace must have spectral_norm_workspace_bytes");
  op.require_dtype(dy.dtype() == w.dtype() && dw.dtype() == w.dtype() && u_next.dtype() == w.dtype() &&
                       v.dtype() == w.dtype() && sigma.dtype() == w.dtype(),
                   "all must have one dtype");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
  if (w.count() == 0) return;
  pick<cpu::spectral_norm_backward, simt::spectral_norm_backward, cuda::spectral_norm_backward>(stream)(
      stream, w, u_next, v, sigma, dy, dw, workspace);
}

}  // namespace ascore::kernels
