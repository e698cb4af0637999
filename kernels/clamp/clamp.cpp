#include "kernels/clamp/clamp.hpp"

#include "kernels/clamp/functions.hpp"
#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <fmt/format.h>

namespace ascore::kernels {

namespace simt {
decltype(kernels::clamp) clamp;
decltype(kernels::clamp_backward) clamp_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::clamp) clamp;
decltype(kernels::clamp_backward) clamp_backward;
}  // namespace cuda

namespace cpu {
void clamp(Stream& stream, ConstView x, double low, double high, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const functions::Clamp<Acc> f{static_cast<Acc>(low), static_cast<Acc>(high)};
    map_elements(stream, f, x.count(), y.as<T>(), x.as<T>());
  });
}

void clamp_backward(Stream& stream, ConstView x, ConstView dy, double low, double high, View dx) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const functions::Clamp<Acc> f{static_cast<Acc>(low), static_cast<Acc>(high)};
    map_elements(stream, f, x.count(), dx.as<T>(), x.as<T>(), dy.as<T>());
  });
}
}  // namespace cpu

namespace {
void require_interval(const OpScope& op, double low, double high) {
  if (!(low <= high)) throw ConfigError(fmt::format("{}: low {} is above high {}", op.name(), low, high));
}
}  // namespace

void clamp(Stream& stream, ConstView x, double low, double high, View y) {
  const OpScope op(stream, "clamp", {x, y});
  op.require(x.shape() == y.shape(), "x and y must have one shape");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  require_interval(op, low, high);
  pick<cpu::clamp, simt::clamp, cuda::clamp>(stream)(stream, x, low, high, y);
}

void clamp_backward(Stream& stream, ConstView x, ConstView dy, double low, double high, View dx) {
  const OpScope op(stream, "clamp_backward", {x, dy, dx});
  op.require(x.shape() == dy.shape() && x.shape() == dx.shape(), "x, dy and dx must have one shape");
  op.require_dtype(x.dtype() == dy.dtype() && x.dtype() == dx.dtype(), "x, dy and dx must have one dtype");
  require_interval(op, low, high);
  pick<cpu::clamp_backward, simt::clamp_backward, cuda::clamp_backward>(stream)(stream, x, dy, low, high, dx);
}

}  // namespace ascore::kernels
