#include "tests/fuzz/reads.hpp"
#include "tools/recipe/recipe.hpp"

#include <cstdlib>
#include <string>

using namespace ascore::tools;

// A recipe that is accepted must come back from what a run folder keeps of it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Recipe recipe;
  bool accepted = false;
  ascore::fuzz::reads(data, size, [&](auto) {
    recipe = parse_recipe(text, "input.toml");
    accepted = true;
  });
  if (accepted && !differing_keys(recipe, parse_recipe(to_toml(recipe), "written.toml")).empty()) std::abort();
  return 0;
}
