#include "kernels/channel_norm/merged_moments.hpp"

#include "kernels/channel_norm/merged_moments_cpu.hpp"
#include "kernels/core/channel_tiles_cpu.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::merged_moments) merged_moments;
}
namespace cuda {
decltype(kernels::merged_moments) merged_moments;
}

namespace cpu {
void merged_moments(Stream& stream, ConstView runs, int64_t pixels, View mean, View squares) {
  for_cpu_real_type(mean.dtype(), [&]<class Acc>() {
    const int64_t N = runs.dim(0), S = runs.dim(1), C = runs.dim(3);
    for_channel_tiles(stream, N, C, [&](int64_t n, int64_t first, int64_t width) {
      double middle[kChannelTile], spread[kChannelTile];
      merge_runs(runs.as<Acc>() + n * S * 2 * C + first, S, pixels, C, width, middle, spread);
      for (int64_t i = 0; i < width; ++i) {
        mean.as<Acc>()[n * C + first + i] = static_cast<Acc>(middle[i]);
        squares.as<Acc>()[n * C + first + i] = static_cast<Acc>(spread[i]);
      }
    });
  });
}
}  // namespace cpu

void merged_moments(Stream& stream, ConstView runs, int64_t pixels, View mean, View squares) {
  const OpScope op(stream, "merged_moments", {runs, mean, squares});
  op.require(runs.rank() == 4 && runs.dim(1) >= 1 && runs.dim(2) == 2 && pixels % runs.dim(1) == 0,
             "run moments must be [N,S,2,C], S a divisor of the number of pixels");
  const Shape each{runs.dim(0), runs.dim(3)};
  op.require(mean.shape() == each && squares.shape() == each, "mean and squares must be [N,C]");
  op.require_dtype(mean.dtype() == runs.dtype() && squares.dtype() == runs.dtype(), "all must have one dtype");
  if (each.count() == 0) return;
  pick<cpu::merged_moments, simt::merged_moments, cuda::merged_moments>(stream)(stream, runs, pixels, mean, squares);
}

}  // namespace ascore::kernels
