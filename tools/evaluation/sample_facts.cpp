#include "tools/evaluation/sample_facts.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore::tools {

namespace fs = std::filesystem;
using nlohmann::json;

void write_sample_facts(const fs::path& folder, bool ema, int64_t step) {
  const auto facts = [&](bool denoised) { return json{{"denoised", denoised}, {"ema", ema}, {"step", step}}; };
  const json all{{"samples.npz", facts(true)}, {"samples_plain.npz", facts(false)}};
  write_file_atomically(folder / "samples.json", all.dump(2) + "\n");
}

std::optional<SampleFacts> read_sample_facts(const fs::path& samples) {
  const fs::path array = fs::is_directory(samples) ? samples / "samples.npz" : samples;
  const fs::path file = array.parent_path() / "samples.json";
  if (!fs::is_regular_file(file)) return {};
  std::ifstream in(file);
  const json all = json::parse(in, nullptr, /*allow_exceptions=*/false);
  const std::string name = array.filename().string();
  if (all.is_object() && !all.contains(name)) return {};
  const json facts = all.is_object() ? all[name] : json();
  const auto holds = [&](const char* key, auto is) { return facts.contains(key) && is(facts[key]); };
  const auto is_bool = [](const json& value) { return value.is_boolean(); };
  if (!facts.is_object() || !holds("denoised", is_bool) || !holds("ema", is_bool) ||
      !holds("step", [](const json& value) { return value.is_number_integer(); })) {
    throw DataError(
        fmt::format("{}: must say denoised, ema and step of {}; remove it if it is not ascore's", file.string(), name));
  }
  return SampleFacts{facts["denoised"].get<bool>(), facts["ema"].get<bool>(), facts["step"].get<int64_t>()};
}

void report_facts(Report& report, const SampleFacts& facts) {
  report.add("denoised", facts.denoised);
  report.add("ema", facts.ema);
  report.add("step", facts.step);
}

}  // namespace ascore::tools
