#pragma once

#include "engine/training/config.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ascore {

/// Samplers by name: `cas` (consistent.hpp), `als` (annealed_langevin.hpp), `flow_euler` and `flow_heun`
/// (probability_flow.hpp).
enum class SamplerKind : uint8_t { cas, als, flow_euler, flow_heun };
const char* name(SamplerKind sampler);
/// Throws ConfigError naming the known samplers.
SamplerKind parse_sampler(std::string_view text);
/// Whether it follows the probability flow: from `prior` only, without noise, step size or steps per level.
bool is_flow(SamplerKind sampler);

/// The levels that an annealing sampler walks down. ALS: the training levels, each n_sigma times. CAS: (L-1) n_sigma +
/// 1 levels of the same spacing over the same range. Throws ConfigError for n_sigma < 1, and for a flow (see
/// flow_levels).
std::vector<double> sampler_schedule(SamplerKind sampler, const NoiseConfig& noise, int n_sigma);

/// Step sizes eps for which CAS can put the next level's noise into the sample at every level: with eta =
/// eps/sigma_L^2 and gamma the smallest ratio of neighbouring levels, 1 - gamma < eta < 1 + gamma.
struct StepInterval {
  double low, high;  ///< exclusive
};
/// `sigmas` decrease; a single level allows 0 < eta < 2.
StepInterval valid_interval(std::span<const double> sigmas);
/// Throws ConfigError, naming the interval, unless it holds `step_size`.
void require_valid_step(std::span<const double> sigmas, double step_size);

/// Step size where none is given. CAS: 1.5 times the lower end of its interval (`sigmas` is its schedule); ALS: 5 times
/// the lower end for the training levels `sigmas`, divided by n_sigma. Where the levels are so few that this would
/// overshoot (eta > 1, at which a step goes to the denoised sample), eta = 1 takes its place.
double default_step_size(SamplerKind sampler, std::span<const double> sigmas, int n_sigma);

}  // namespace ascore
