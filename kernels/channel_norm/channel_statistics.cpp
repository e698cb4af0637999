#include "kernels/channel_norm/channel_statistics.hpp"

#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <cmath>

namespace ascore::kernels {

namespace simt {
decltype(kernels::inverse_deviation) inverse_deviation;
decltype(kernels::scaled_sums) scaled_sums;
}  // namespace simt
namespace cuda {
decltype(kernels::inverse_deviation) inverse_deviation;
decltype(kernels::scaled_sums) scaled_sums;
}  // namespace cuda

namespace cpu {
void inverse_deviation(Stream& stream, ConstView squares, double factor, double eps, View rstd) {
  for_cpu_real_type(squares.dtype(), [&]<class Acc>() {
    const auto f = [=](Acc s) { return static_cast<Acc>(1 / std::sqrt(factor * static_cast<double>(s) + eps)); };
    map_elements(stream, f, squares.count(), rstd.as<Acc>(), squares.as<Acc>());
  });
}

void scaled_sums(Stream& stream, ConstView sums, ConstView gamma, ConstView rstd, double factor, View y) {
  for_cpu_real_type(sums.dtype(), [&]<class Acc>() {
    const int64_t C = sums.dim(-1);
    const Acc *const from = sums.as<Acc>(), *const by = gamma.as<Acc>(), *const rs = rstd.as<Acc>();
    parallel_chunks(stream, sums.count(), 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Acc weight = static_cast<Acc>(factor) * rs[i] * (by ? by[i % C] : Acc(1));
        y.as<Acc>()[i] = weight * from[i];
      }
    });
  });
}
}  // namespace cpu

void inverse_deviation(Stream& stream, ConstView squares, double factor, double eps, View rstd) {
  const OpScope op(stream, "inverse_deviation", {squares, rstd});
  op.require(squares.shape() == rstd.shape(), "squares and rstd must have one shape");
  op.require_dtype(squares.dtype() == rstd.dtype(), "squares and rstd must have one dtype");
  pick<cpu::inverse_deviation, simt::inverse_deviation, cuda::inverse_deviation>(stream)(stream, squares, factor, eps,
                                                                                         rstd);
}

void scaled_sums(Stream& stream, ConstView sums, ConstView gamma, ConstView rstd, double factor, View y) {
  const OpScope op(stream, "scaled_sums", {sums, gamma, rstd, y});
  op.require(sums.rank() >= 1 && sums.shape() == rstd.shape() && sums.shape() == y.shape(),
             "sums, rstd and y must have one shape, [...,C]");
  op.require(!gamma || gamma.shape() == Shape{sums.dim(-1)}, "gamma must be [C]");
  op.require_dtype(sums.dtype() == y.dtype() && sums.dtype() == rstd.dtype() && (!gamma || gamma.dtype() == y.dtype()),
                   "all must have one dtype");
  pick<cpu::scaled_sums, simt::scaled_sums, cuda::scaled_sums>(stream)(stream, sums, gamma, rstd, factor, y);
}

}  // namespace ascore::kernels
