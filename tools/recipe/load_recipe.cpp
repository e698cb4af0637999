// Where recipes come from: files, and the program itself.
#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tools/recipe/recipe.hpp"
#include "tools/recipe/shipped_recipes.hpp"

#include <fmt/format.h>

namespace ascore::tools {

Recipe load_recipe(const std::string& name, const std::vector<std::string>& overrides) {
  std::error_code error;
  if (std::filesystem::exists(name, error) && !std::filesystem::is_directory(name, error)) {  // a pipe is one too
    const std::vector<std::byte> bytes = read_file(name);
    return parse_recipe({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name, overrides);
  }
  for (const ShippedRecipe& shipped : shipped_recipes()) {
    if (shipped.name == name) return parse_recipe(std::string(shipped.text), name + ".toml", overrides);
  }
  throw DataError(fmt::format("{}: no such file, and no shipped recipe of that name; `ascore info` lists them", name));
}

}  // namespace ascore::tools
