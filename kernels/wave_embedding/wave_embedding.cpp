#include "kernels/wave_embedding/wave_embedding.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/wave_embedding/functions.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::wave_embedding) wave_embedding;
}
namespace cuda {
decltype(kernels::wave_embedding) wave_embedding;
}

namespace cpu {
void wave_embedding(Stream&, ConstView sigma, const LevelScale& scale, double longest, View waves) {
  const int64_t half = waves.dim(1) / 2;
  for_cpu_real_type(waves.dtype(), [&]<class T>() {
    T* out = waves.as<T>();
    for (int64_t n = 0; n < sigma.count(); ++n, out += 2 * half) {
      const double t = functions::level_place(scale, static_cast<double>(sigma.as<T>()[n]));
      for (int64_t k = 0; k < half; ++k) {
        const double angle = t * functions::frequency(longest, k, half);
        out[k] = static_cast<T>(std::sin(angle));
        out[half + k] = static_cast<T>(std::cos(angle));
      }
    }
  });
}
}  // namespace cpu

void wave_embedding(Stream& stream, ConstView sigma, const LevelScale& scale, double longest, View waves) {
  const OpScope op(stream, "wave_embedding", {sigma, waves});
  op.require(sigma.rank() == 1 && waves.rank() == 2 && waves.dim(0) == sigma.dim(0), "sigma [N], waves [N,width]");
  op.require(waves.dim(1) % 2 == 0 && waves.dim(1) >= 4, "the width must be even and at least 4");
  op.require_dtype(waves.dtype() == sigma.dtype(), "sigma and waves must have one dtype");
  pick<cpu::wave_embedding, simt::wave_embedding, cuda::wave_embedding>(stream)(stream, sigma, scale, longest, waves);
}

double level_place(const LevelScale& scale, double sigma) {
  return functions::level_place(scale, sigma);
}

}  // namespace ascore::kernels
