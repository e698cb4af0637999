#include "samplers/noise_source.hpp"

#include "kernels/langevin/langevin.hpp"

namespace ascore {

NoiseSource::NoiseSource(const NoiseKey& key)
    : key_(key), update_([key](Ctx& ctx, const Tensor& x, const Tensor& d, const Tensor& coefficients, uint32_t draw) {
        kernels::langevin_step(ctx.stream, x.view(), d, coefficients, key.at_step(key.step + draw));
      }) {}

}  // namespace ascore
