#include "kernels/concat/concat.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::concat_channels) concat_channels;
decltype(kernels::split_channels) split_channels;
}  // namespace simt
namespace cuda {
decltype(kernels::concat_channels) concat_channels;
decltype(kernels::split_channels) split_channels;
}  // namespace cuda

namespace cpu {
namespace {
constexpr int64_t kSerialBelow = 256;  // pixels
}

void concat_channels(Stream& stream, ConstView a, ConstView b, View y) {
  for_cpu_float_type(y.dtype(), [&]<class T>() {
    const T *const from_a = a.as<T>(), *const from_b = b.as<T>();
    T* const to = y.as<T>();
    const int64_t A = a.dim(3), B = b.dim(3);
    parallel_for(stream, y.count() / (A + B), kSerialBelow,
                 [&](int64_t p) { std::copy_n(from_b + p * B, B, std::copy_n(from_a + p * A, A, to + p * (A + B))); });
  });
}

void split_channels(Stream& stream, ConstView y, View a, View b) {
  for_cpu_float_type(y.dtype(), [&]<class T>() {
    const T* const from = y.as<T>();
    T *const to_a = a.as<T>(), *const to_b = b.as<T>();
    const int64_t both = y.dim(3), A = a ? a.dim(3) : both - b.dim(3), B = both - A;
    parallel_for(stream, y.count() / both, kSerialBelow, [&](int64_t p) {
      if (to_a) std::copy_n(from + p * both, A, to_a + p * A);
      if (to_b) std::copy_n(from + p * both + A, B, to_b + p * B);
    });
  });
}
}  // namespace cpu

namespace {
/// x is absent, or the channels of part of `whole`.
bool is_part(ConstView x, ConstView whole) {
  return !x ||
         (x.rank() == 4 && x.dim(3) > 0 && x.shape() == Shape{whole.dim(0), whole.dim(1), whole.dim(2), x.dim(3)});
}

void check(const OpScope& op, ConstView a, ConstView b, ConstView y) {
  op.require(y.rank() == 4 && is_part(a, y) && is_part(b, y), "a, b and y must be [N,H,W,C] of one N, H and W");
  const int64_t channels = (a ? a.dim(3) : 0) + (b ? b.dim(3) : 0);
  op.require(a && b ? channels == y.dim(3) : channels < y.dim(3), "y must have the channels of a and of b");
  op.require_dtype((!a || a.dtype() == y.dtype()) && (!b || b.dtype() == y.dtype()), "a, b and y must have one dtype");
}
}  // namespace

void concat_channels(Stream& stream, ConstView a, ConstView b, View y) {
  const OpScope op(stream, "concat_channels", {a, b, y});
  op.require(a && b, "a and b must be present");
  check(op, a, b, y);
  if (y.count() == 0) return;
  pick<cpu::concat_channels, simt::concat_channels, cuda::concat_channels>(stream)(stream, a, b, y);
}

void split_channels(Stream& stream, ConstView y, View a, View b) {
  const OpScope op(stream, "split_channels", {y, a, b});
  check(op, a, b, y);
  if (y.count() == 0 || (!a && !b)) return;
  pick<cpu::split_channels, simt::split_channels, cuda::split_channels>(stream)(stream, y, a, b);
}

}  // namespace ascore::kernels
