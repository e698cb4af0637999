#pragma once

#include "samplers/sampling.hpp"
#include "tools/recipe/recipe.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ascore::tools {

/// Values of --preset: cas_n1, cas_n5, als_n1, als_n5.
std::vector<std::string> preset_names();

/// `sampling` with the preset's sampler and steps per level, and the step size that was published for the recipe's
/// data, network and noise levels; none, so that the rule decides, where none was. Throws ConfigError for an unknown
/// name.
SamplingConfig with_preset(SamplingConfig sampling, std::string_view preset, const Recipe& recipe);

}  // namespace ascore::tools
