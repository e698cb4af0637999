#include "kernels/langevin/langevin.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::langevin_step) langevin_step;
decltype(kernels::langevin_step_given) langevin_step_given;
}  // namespace simt
namespace cuda {
decltype(kernels::langevin_step) langevin_step;
decltype(kernels::langevin_step_given) langevin_step_given;
}  // namespace cuda

namespace cpu {
namespace {
/// Runs update<T>(T* x, const T* d, a, b, begin, end) over chunks of [0, count), in the element type of x.
template <class Update>
void update_chunks(Stream& stream, View x, ConstView d, StepScalars coefficients, int64_t count, Update update) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    T* const px = x.as<T>();
    const T* const pd = d.as<T>();
    const double* const scalars = coefficients.as<double>();
    const T a = static_cast<T>(scalars[0]), b = static_cast<T>(scalars[1]);
    parallel_chunks(stream, count, 1 << 11, [&](int64_t begin, int64_t end) { update(px, pd, a, b, begin, end); });
  });
}
}  // namespace

void langevin_step(Stream& stream, View x, ConstView d, StepScalars coefficients, const NoiseKey& key) {
  if (x.count() == 0) return;
  const int64_t rows = x.dim(0), width = x.count() / rows;
  update_chunks(stream, x, d, coefficients, rows * groups_of(width),
                [&]<class T>(T* px, const T* pd, T a, T b, int64_t begin, int64_t end) {
                  for (int64_t i = begin; i < end; ++i) {
                    const DrawGroup at = draw_group(i, width);
                    const Draws z = b == 0 ? Draws{} : normals(random_bits(key, at.row, at.group));
                    for (int j = 0; j < at.count; ++j) {
                      T& element = px[at.offset + j];
                      if (pd) element += a * pd[at.offset + j];
                      if (b != 0) element += b * T(z.value[j]);
                    }
                  }
                });
}

void langevin_step_given(Stream& stream, View x, ConstView d, StepScalars coefficients, ConstView z) {
  update_chunks(stream, x, d, coefficients, x.count(),
                [&]<class T>(T* px, const T* pd, T a, T b, int64_t begin, int64_t end) {
                  const T* const pz = z.as<T>();
                  for (int64_t i = begin; i < end; ++i) {
                    if (pd) px[i] += a * pd[i];
                    if (pz && b != 0) px[i] += b * pz[i];
                  }
                });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView x, ConstView d, StepScalars coefficients, ConstView z) {
  op.require(x.rank() >= 1, "x must be [N,...]");
  op.require((!d || d.shape() == x.shape()) && (!z || z.shape() == x.shape()), "x, d and z must have one shape");
  op.require(coefficients.present() && coefficients.shape() == Shape{2}, "coefficients must be [2]");
  op.require_dtype((!d || d.dtype() == x.dtype()) && (!z || z.dtype() == x.dtype()), "x, d and z must have one dtype");
  op.require_dtype(coefficients.dtype() == DType::f64, "coefficients must be f64");
}
}  // namespace

void langevin_step(Stream& stream, View x, ConstView d, StepScalars coefficients, const NoiseKey& key) {
  const OpScope op(stream, "langevin_step", {in_out(x), d, coefficients, key.offset_view(stream.device())});
  check(op, x, d, coefficients, {});
  pick<cpu::langevin_step, simt::langevin_step, cuda::langevin_step>(stream)(stream, x, d, coefficients, key);
}

void langevin_step_given(Stream& stream, View x, ConstView d, StepScalars coefficients, ConstView z) {
  const OpScope op(stream, "langevin_step_given", {in_out(x), d, coefficients, z});
  check(op, x, d, coefficients, z);
  pick<cpu::langevin_step_given, simt::langevin_step_given, cuda::langevin_step_given>(stream)(stream, x, d,
                                                                                               coefficients, z);
}

}  // namespace ascore::kernels
