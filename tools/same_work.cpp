#include "tools/same_work.hpp"

#include "engine/io/checksum.hpp"
#include "kernels/core/error.hpp"
#include "tools/build_info.hpp"
#include "tools/ranks.hpp"
#include "tools/recipe/recipe_keys.hpp"

#include <sstream>

#include <fmt/format.h>

namespace ascore::tools {

Work::Work(const CommonOptions& options) {
  const BuildInfo build = build_info();
  const Device device = chosen_device(options);
  add("build", fmt::format("{} {} {}", build.version, build.build_type, build.compiler));
  add("--device", name(device));
  add("--precision", name(chosen_precision(options, device)));
}

void Work::add(std::string_view name, std::string_view value) {
  lines_ += fmt::format("{} = {}\n", name, value);
}

void Work::add(const Recipe& recipe) {
  Recipe copy = recipe;  // slots point to members that can be changed
  for (const RecipeKey& key : recipe_keys()) {
    if (key.path != "data.path") add(key.path, toml_value(key.slot(copy)));
  }
}

namespace {
/// The first line of `lines` that `others` does not have in its place, and that other line.
std::pair<std::string, std::string> first_difference(const std::string& lines, const std::string& others) {
  std::istringstream here(lines), there(others);
  std::string mine, theirs;
  do {
    if (!std::getline(here, mine)) mine = "nothing more";
    if (!std::getline(there, theirs)) theirs = "nothing more";
  } while (mine == theirs);
  return {mine, theirs};
}
}  // namespace

void require_same_work(Communicator& ranks, const Work& work) {
  if (ranks.size() == 1) return;
  Checksum sum;
  sum.add(work.lines());
  const std::optional<int> differing = first_differing_rank(ranks, sum.value());
  if (!differing) return;
  const std::vector<std::string> all = ranks.exchange(work.lines());
  const auto [theirs, roots] = first_difference(all[static_cast<size_t>(*differing)], all[0]);
  throw agreed(ranks, ConfigError(fmt::format("rank {} was started to do other work than rank 0: it has {}, rank 0 {}; "
                                              "start all ranks with one build, recipe and options",
                                              *differing, theirs, roots)));
}

}  // namespace ascore::tools
