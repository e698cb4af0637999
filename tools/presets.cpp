#include "tools/presets.hpp"

#include "kernels/core/error.hpp"

#include <array>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Preset {
  std::string_view name;
  SamplerKind sampler;
  int n_sigma;
};
constexpr std::array<Preset, 4> kPresets{{{"cas_n1", SamplerKind::cas, 1},
                                          {"cas_n5", SamplerKind::cas, 5},
                                          {"als_n1", SamplerKind::als, 1},
                                          {"als_n5", SamplerKind::als, 5}}};

/// Step sizes that were tuned for one model, in the order of kPresets; 0: none was published.
struct TunedSteps {
  std::string_view data, network;
  double sigma_begin;
  int64_t levels;  ///< geometric, down to 0.01
  std::array<double, kPresets.size()> step_sizes;
};
/// From arXiv:2009.05475 and, for CelebA, arXiv:2006.09011; docs/mathematics.md, "Tuned step sizes".
constexpr TunedSteps kTuned[] = {
    {"cifar10", "ncsnv2", 50, 232, {5.6e-6, 1.1e-6, 1.8e-5, 3.6e-6}},
    {"cifar10", "unet", 50, 232, {5.45e-6, 1.05e-6, 1.6e-5, 4e-6}},
    {"lsun", "ncsnv2_deeper", 140, 788, {2.8e-6, 4.5e-7, 4.85e-6, 9.7e-7}},
    {"celeba", "ncsnv2", 90, 500, {0, 0, 0, 3.3e-6}},
    {"stackedmnist", "ncsnv2", 50, 200, {5e-6, 0, 0, 0}},
};

bool is_for(const TunedSteps& tuned, const Recipe& recipe) {
  const Recipe::Noise& noise = recipe.noise;
  return tuned.data == recipe.data.name && tuned.network == recipe.score.name &&
         tuned.sigma_begin == noise.sigma_begin && tuned.levels == noise.levels && noise.sigma_end == 0.01 &&
         noise.spacing == "geometric";
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

SamplingConfig with_preset(SamplingConfig sampling, std::string_view preset, const Recipe& recipe) {
  for (size_t i = 0; i < kPresets.size(); ++i) {
    if (kPresets[i].name != preset) continue;
    sampling.sampler = kPresets[i].sampler;
    sampling.n_sigma = kPresets[i].n_sigma;
    sampling.step_size.reset();
    for (const TunedSteps& tuned : kTuned) {
      if (is_for(tuned, recipe) && tuned.step_sizes[i] > 0) sampling.step_size = tuned.step_sizes[i];
    }
    return sampling;
  }
  throw ConfigError(fmt::format("preset '{}' is unknown; available: {}", preset, fmt::join(preset_names(), ", ")));
}

}  // namespace ascore::tools
