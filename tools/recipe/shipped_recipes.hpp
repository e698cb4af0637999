#pragma once

#include <span>
#include <string_view>

namespace ascore::tools {

/// A recipe of tools/recipes/, built into the program.
struct ShippedRecipe {
  std::string_view name;  ///< "digits", of digits.toml
  std::string_view text;
};
std::span<const ShippedRecipe> shipped_recipes();

}  // namespace ascore::tools
