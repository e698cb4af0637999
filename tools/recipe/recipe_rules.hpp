#pragma once

#include "tools/recipe/recipe.hpp"

#include <map>
#include <string>

namespace ascore::tools {

/// The keys and tables that a recipe gave, each with its place ("digits.toml:12").
using GivenKeys = std::map<std::string, std::string>;

/// Fills the defaults that follow from other keys, where the recipe gave none.
void derive_defaults(Recipe& recipe, const GivenKeys& given);

/// Checks what one key alone cannot tell. Throws ConfigError.
void check_rules(const Recipe& recipe, const GivenKeys& given);

}  // namespace ascore::tools
