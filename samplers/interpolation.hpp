#pragma once

#include "samplers/noise_source.hpp"

#include <cstdint>

namespace ascore {

/// A way between the samples of two seeds: `t` from 0, where all draws are those of the key's own seed, to 1, where
/// they are those of `other`. Between, every normal draw is cos(t pi/2) z + sin(t pi/2) z', which is standard normal
/// again; at the ends the other seed is not added at all, so that they equal the seeds' own samples to the bit.
struct SeedMix {
  uint64_t other = 0;
  double t = 0;
};

/// The noise of a sampler on its way.
NoiseSource mixed_noise(const NoiseKey& key, const SeedMix& mix);

/// Initial states, as in initial_state.hpp. A uniform draw is Phi of a normal one, and that is what is mixed.
Tensor mixed_uniform_start(Ctx& ctx, const Shape& shape, double low, double high, const NoiseKey& key,
                           const SeedMix& mix);
Tensor mixed_prior_start(Ctx& ctx, const Shape& shape, double sigma, const NoiseKey& key, const SeedMix& mix);
/// data + sigma z: the noise is mixed, the data stay.
Tensor mixed_data_start(Ctx& ctx, const Tensor& data, double sigma, const NoiseKey& key, const SeedMix& mix);

/// Phi(x), the share of standard normals below x, and its inverse for p in (0,1); both within 1e-12 relative for
/// |x| up to 7 (tested).
double normal_share(double x);
double normal_quantile(double p);

}  // namespace ascore
