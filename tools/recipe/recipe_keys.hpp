#pragma once

#include "tools/recipe/recipe.hpp"

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ascore::tools {

/// Where a key's value lies in a Recipe; the alternative is its type.
using Slot = std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*>;

/// One key of a recipe: the single source for reading, checking, writing and documenting it.
struct RecipeKey {
  std::string_view path;  ///< dotted: "score.optimizer.lr"
  Slot (*slot)(Recipe&);  ///< the member it sets; its initialiser is the default
  std::string_view doc;   ///< one line
  /// Numbers, and each of a list: allowed interval; `open_low`/`open_high` exclude the ends.
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;
  /// Text: allowed values (any if empty), and values that the design names but this version does not have.
  std::vector<std::string_view> choices = {}, later = {};
  /// How the default follows from other keys; empty if it is the member's initialiser.
  std::string_view derived = {};

  std::string_view section() const;  ///< "score", "" for top-level keys
  std::string_view name() const;     ///< "optimizer.lr"
};

/// All keys, section by section, in the order in which they are written and documented.
std::span<const RecipeKey> recipe_keys();
/// Null if there is no such key.
const RecipeKey* find_recipe_key(std::string_view path);

/// The known key that `path` most likely misspells.
std::string_view nearest_recipe_key(std::string_view path);

/// "integer", "number", "true or false", "text", "list of integers".
std::string_view type_name(const RecipeKey& key);
/// The value as TOML writes it.
std::string toml_value(const Slot& slot);
/// The key's row of the table in docs/recipes.md: "| `width` | integer | `128` | ... |".
std::string documentation_row(const RecipeKey& key);

}  // namespace ascore::tools
