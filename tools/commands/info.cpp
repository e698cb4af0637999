// ascore info: what this build and machine are, or what a recipe, a run or a checkpoint holds. Opens no data.
#include "kernels/core/device.hpp"
#include "tools/build_info.hpp"
#include "tools/commands/commands.hpp"
#include "tools/recipe/recipe.hpp"
#include "tools/recipe/recipe_keys.hpp"
#include "tools/recipe/shipped_recipes.hpp"
#include "tools/report.hpp"

#include <fstream>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  std::string subject;
  std::vector<std::string> set;
  bool json = false;
};

/// Value of the first "key : value" line of a file of /proc; empty if there is none.
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const size_t colon = line.find(':');
    const size_t begin = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (begin != std::string::npos) return line.substr(begin);
  }
  return "";
}

void report_machine(Report& report) {
  const BuildInfo build = build_info();
  report.add("version", build.version);
  report.add("build.type", build.build_type);
  report.add("build.compiler", build.compiler);
  report.add("build.cuda", build.cuda);
  if (build.cuda) report.add("build.cuda_architectures", build.cuda_architectures);
  report.add("build.simt", build.simt);
  report.add("build.onednn", build.onednn);
  for (const Device device : {Device::cpu, Device::simt, Device::cuda}) {
    const std::string reason = unavailable_reason(device);
    report.add(fmt::format("devices.{}", name(device)), reason.empty() ? "available" : reason);
  }
  report.add("machine.processor", proc_value("/proc/cpuinfo", "model name"));
  report.add("machine.threads", static_cast<int64_t>(std::thread::hardware_concurrency()));
  report.add("machine.memory", proc_value("/proc/meminfo", "MemTotal"));
  std::string names;
  for (const ShippedRecipe& recipe : shipped_recipes()) {
    names += (names.empty() ? "" : " ") + std::string(recipe.name);
  }
  report.add("recipes", names);
}

void report_recipe(Report& report, Recipe recipe) {
  for (const RecipeKey& key : recipe_keys()) {
    const bool game = key.section() == "critic" || key.section() == "adversarial";
    if (game && !recipe.has_critic) continue;
    std::visit([&](const auto* value) { report.add(std::string(key.path), *value); }, key.slot(recipe));
  }
}

void run(const Options& options) {
  Report report;
  if (options.subject.empty()) {
    report_machine(report);
  } else {
    report_recipe(report, load_recipe(options.subject, options.set));
  }
  report.print(options.json);
}

}  // namespace

void add_info_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("info", "This build and machine, or what a run, checkpoint or recipe holds");
  auto options = std::make_shared<Options>();
  command->add_option("subject", options->subject, "a run folder, a checkpoint or a recipe")
      ->type_name("RUN|CKPT|RECIPE");
  command->add_option("--set", options->set, "change a recipe key first; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
