#include "tools/profile/memory_profile.hpp"

#include "tools/profile/byte_size.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore::tools {
namespace {

constexpr size_t kTopModules = 12;

double as_double(size_t bytes) {
  return static_cast<double>(bytes);
}

std::string shown_path(const std::string& path) {
  return path.empty() ? "(no module)" : path;
}

}  // namespace

std::vector<std::pair<std::string, size_t>> largest_modules(const MemoryRun& run, size_t count) {
  std::vector<std::pair<std::string, size_t>> modules;
  for (const auto& [path, bytes] : run.by_path) modules.emplace_back(shown_path(path), total(bytes));
  std::ranges::stable_sort(modules, [](const auto& a, const auto& b) { return a.second > b.second; });
  if (modules.size() > count) modules.resize(count);
  return modules;
}

std::vector<BytesByKind> thinned(const std::vector<BytesByKind>& timeline, size_t columns) {
  if (timeline.size() <= columns) return timeline;
  std::vector<BytesByKind> result;
  for (size_t column = 0; column < columns; ++column) {
    const auto begin = timeline.begin() + static_cast<std::ptrdiff_t>(column * timeline.size() / columns);
    const auto end = timeline.begin() + static_cast<std::ptrdiff_t>((column + 1) * timeline.size() / columns);
    result.push_back(*std::max_element(begin, end, [](const auto& a, const auto& b) { return total(a) < total(b); }));
  }
  return result;
}

std::string to_text(const MemoryProfile& profile) {
  const MemoryRun& run = profile.run;
  std::string text =
      fmt::format("{}, {} {}, batch {}{}{}\n\n", profile.recipe, profile.device, profile.precision, profile.batch,
                  profile.ranks > 1 ? fmt::format(" on each of {} ranks", profile.ranks) : "",
                  profile.predicted ? ": predicted from shapes"
                                    : fmt::format(": {} steps, {:.3g} s each", profile.steps, run.seconds_per_step));
  text += "at the peak\n";
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    text += fmt::format("  {:<14}{:>12}\n", name(static_cast<MemoryKind>(kind)),
                        shown_bytes(as_double(run.by_kind[static_cast<size_t>(kind)])));
  }
  text += fmt::format("  {:<14}{:>12}\n\n", "all", shown_bytes(as_double(run.peak_bytes)));
  text += "most of it held by\n";
  for (const auto& [path, bytes] : largest_modules(run, kTopModules)) {
    text += fmt::format("  {:<32}{:>12}\n", path, shown_bytes(as_double(bytes)));
  }
  text += fmt::format("\nparameters      {}\n", run.parameters);
  text += fmt::format("per image       {} (between batches of {} and {})\n", shown_bytes(profile.bytes_per_image),
                      profile.other_batch, profile.batch);
  if (profile.limit && profile.largest_batch) {
    text += fmt::format("largest batch   {} in {} ({})\n", *profile.largest_batch,
                        shown_bytes(as_double(profile.limit->bytes)), profile.limit->what);
  } else {
    text += "largest batch   unknown: there is no GPU here; say its memory by --memory 80GiB\n";
  }
  return text;
}

std::string to_json(const MemoryProfile& profile) {
  using Json = nlohmann::ordered_json;
  const MemoryRun& run = profile.run;
  Json json;
  json["recipe"] = profile.recipe;
  json["device"] = profile.device;
  json["precision"] = profile.precision;
  json["predicted"] = profile.predicted;
  json["batch_size"] = profile.batch;
  json["world_size"] = profile.ranks;
  json["steps"] = profile.steps;
  json["peak_bytes"] = run.peak_bytes;
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    json["peak_bytes_by_category"][name(static_cast<MemoryKind>(kind))] = run.by_kind[static_cast<size_t>(kind)];
  }
  json["peak_bytes_by_module"] = Json::array();
  for (const auto& [path, bytes] : largest_modules(run, run.by_path.size())) {
    json["peak_bytes_by_module"].push_back({{"module", path}, {"bytes", bytes}});
  }
  json["library_bytes"] = run.library_bytes;
  json["bytes_per_image"] = profile.bytes_per_image;
  json["other_batch_size"] = profile.other_batch;
  json["parameters"] = run.parameters;
  json["largest_batch"] = profile.largest_batch ? Json(*profile.largest_batch) : Json();
  json["limit_bytes"] = profile.limit ? Json(profile.limit->bytes) : Json();
  json["limit"] = profile.limit ? Json(profile.limit->what) : Json();
  json["seconds_per_step"] = profile.predicted ? Json() : Json(run.seconds_per_step);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ascore::tools
