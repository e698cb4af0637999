#include "samplers/schedule.hpp"

#include "engine/training/noise_levels.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace ascore {

const char* name(SamplerKind sampler) {
  switch (sampler) {
    case SamplerKind::cas:
      return "cas";
    case SamplerKind::als:
      return "als";
    case SamplerKind::flow_euler:
      return "flow_euler";
    case SamplerKind::flow_heun:
      return "flow_heun";
  }
  return "?";
}

SamplerKind parse_sampler(std::string_view text) {
  for (SamplerKind sampler : {SamplerKind::cas, SamplerKind::als, SamplerKind::flow_euler, SamplerKind::flow_heun}) {
    if (text == name(sampler)) return sampler;
  }
  throw ConfigError(fmt::format("sampler \"{}\" is not known: cas, als, flow_euler or flow_heun", text));
}

bool is_flow(SamplerKind sampler) {
  return sampler == SamplerKind::flow_euler || sampler == SamplerKind::flow_heun;
}

std::vector<double> sampler_schedule(SamplerKind sampler, const NoiseConfig& noise, int n_sigma) {
  if (n_sigma < 1) throw ConfigError(fmt::format("n_sigma is {}: at least one step per noise level", n_sigma));
  if (sampler == SamplerKind::als) return noise_levels(noise);
  if (is_flow(sampler)) throw ConfigError(fmt::format("sampler {}: has levels of its own", name(sampler)));
  const int64_t levels = (int64_t{noise.levels} - 1) * n_sigma + 1;
  if (levels > std::numeric_limits<int>::max()) {
    throw ConfigError(
        fmt::format("n_sigma {} on {} noise levels makes {} evaluations: too many", n_sigma, noise.levels, levels));
  }
  NoiseConfig dense = noise;
  dense.levels = static_cast<int>(levels);
  return noise_levels(dense);
}

StepInterval valid_interval(std::span<const double> sigmas) {
  double gamma = 1;
  for (size_t i = 1; i < sigmas.size(); ++i) gamma = std::min(gamma, sigmas[i] / sigmas[i - 1]);
  const double last = sigmas.back() * sigmas.back();
  return {(1 - gamma) * last, (1 + gamma) * last};
}

void require_valid_step(std::span<const double> sigmas, double step_size) {
  const StepInterval valid = valid_interval(sigmas);
  if (step_size > valid.low && step_size < valid.high) return;
  throw ConfigError(
      fmt::format("step size {:.6g} is outside ({:.6g}, {:.6g}), where consistent sampling over these {} "
                  "noise levels works: choose one inside, or more levels",
                  step_size, valid.low, valid.high, sigmas.size()));
}

double default_step_size(SamplerKind sampler, std::span<const double> sigmas, int n_sigma) {
  const double last = sigmas.back() * sigmas.back();
  const double low = valid_interval(sigmas).low > 0 ? valid_interval(sigmas).low : last;  // one level: a denoising step
  if (sampler == SamplerKind::cas) return std::min(1.5 * low, last);
  return std::min(5 * low, last) / n_sigma;
}

}  // namespace ascore
