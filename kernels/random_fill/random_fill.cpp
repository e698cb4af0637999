#include "kernels/random_fill/random_fill.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::random_normal) random_normal;
decltype(kernels::random_uniform) random_uniform;
}  // namespace simt
namespace cuda {
decltype(kernels::random_normal) random_normal;
decltype(kernels::random_uniform) random_uniform;
}  // namespace cuda

namespace cpu {
namespace {
/// y = shift + factor draw, for the draws that `distribution` makes of the random bits.
template <class Distribution>
void fill(Stream& stream, const NoiseKey& key, double shift, double factor, View y, Distribution distribution) {
  if (y.count() == 0) return;
  const int64_t rows = y.rank() == 0 ? 1 : y.dim(0), width = y.count() / rows;
  for_cpu_real_type(y.dtype(), [&]<class T>() {
    T* const out = y.as<T>();
    const T a = static_cast<T>(shift), b = static_cast<T>(factor);
    parallel_chunks(stream, rows * groups_of(width), 1 << 11, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const DrawGroup at = draw_group(i, width);
        const Draws draws = distribution(random_bits(key, at.row, at.group));
        for (int j = 0; j < at.count; ++j) out[at.offset + j] = a + b * T(draws.value[j]);
      }
    });
  });
}
}  // namespace

void random_normal(Stream& stream, const NoiseKey& key, double mean, double sd, View y) {
  fill(stream, key, mean, sd, y, normals);
}
void random_uniform(Stream& stream, const NoiseKey& key, double low, double high, View y) {
  fill(stream, key, low, high - low, y, uniforms);
}
}  // namespace cpu

void random_normal(Stream& stream, const NoiseKey& key, double mean, double sd, View y) {
  const OpScope op(stream, "random_normal", {y, key.offset_view(stream.device())});
  pick<cpu::random_normal, simt::random_normal, cuda::random_normal>(stream)(stream, key, mean, sd, y);
}

void random_uniform(Stream& stream, const NoiseKey& key, double low, double high, View y) {
  const OpScope op(stream, "random_uniform", {y, key.offset_view(stream.device())});
  pick<cpu::random_uniform, simt::random_uniform, cuda::random_uniform>(stream)(stream, key, low, high, y);
}

}  // namespace ascore::kernels
