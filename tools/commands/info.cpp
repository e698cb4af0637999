// ascore info: what this build and machine are, or what a recipe, a run or a checkpoint holds. Opens no data.
#include "engine/training/checkpoint.hpp"
#include "kernels/core/device.hpp"
#include "kernels/core/error.hpp"
#include "models/registry.hpp"
#include "tools/build_info.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
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
  report.add("build.lmdb", build.lmdb);
  report.add("build.webp", build.webp);
  report.add("build.mpi", build.mpi);
  for (const Device device : {Device::cpu, Device::simt, Device::cuda}) {
    const std::string reason = unavailable_reason(device);
    report.add(fmt::format("devices.{}", name(device)), reason.empty() ? "available" : reason);
  }
  report.add("machine.processor", proc_value("/proc/cpuinfo", "model name"));
  report.add("machine.threads", static_cast<int64_t>(std::thread::hardware_concurrency()));
  report.add("machine.memory", proc_value("/proc/meminfo", "MemTotal"));
  std::vector<std::string> names;
  for (const ShippedRecipe& recipe : shipped_recipes()) names.emplace_back(recipe.name);
  report.add("recipes", names);
}

void report_recipe(Report& report, Recipe recipe) {
  for (const RecipeKey& key : recipe_keys()) {
    if (!has_section(recipe, key.section())) continue;
    std::visit([&](const auto* value) { report.add(std::string(key.path), *value); }, key.slot(recipe));
  }
}

/// Parameters of a network of the recipe, counted without its values.
int64_t parameter_count(Module& network) {
  int64_t count = 0;
  for (const Parameter* parameter : network.parameters()) {
    if (parameter->trainable) count += parameter->shape.count();
  }
  return count;
}

void report_networks(Report& report, const Recipe& recipe) {
  if (recipe.has_classifier) {
    Classifier classifier(classifier_config(recipe));
    report.add("parameters.classifier", parameter_count(classifier));
    return;
  }
  report.add("parameters.score", parameter_count(*make_score_network(score_network_config(recipe))));
  if (recipe.has_critic) report.add("parameters.critic", parameter_count(*make_critic(critic_config(recipe))));
}

void report_checkpoint(Report& report, const std::filesystem::path& file, const std::vector<std::string>& set) {
  const Checkpoint checkpoint = read_checkpoint(file);
  report.add("checkpoint.file", file.string());
  report.add("checkpoint.step", checkpoint.step);
  report.add("checkpoint.threads", static_cast<int64_t>(checkpoint.threads));
  report.add("checkpoint.device", checkpoint.device);
  report.add("checkpoint.precision", checkpoint.precision);
  report.add("checkpoint.tensors", static_cast<int64_t>(checkpoint.tensors.size()));
  const Recipe recipe = parse_recipe(checkpoint.recipe, fmt::format("recipe in {}", file.string()), set);
  report_networks(report, recipe);
  report_recipe(report, recipe);
}

/// A folder is a run, a .safetensors file or what is called `latest` a checkpoint, everything else a recipe.
void report_subject(Report& report, const Options& options) {
  const std::filesystem::path path = options.subject;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    if (const auto file = latest_checkpoint(path)) return report_checkpoint(report, *file, options.set);
    if (!std::filesystem::is_regular_file(path / "recipe.toml")) {
      throw DataError(fmt::format("{}: is not a run (it has no recipe.toml)", options.subject));
    }
  } else if (path.extension() == ".safetensors" || path.filename() == "latest") {
    return report_checkpoint(report, find_checkpoint(path), options.set);
  }
  const bool run = std::filesystem::is_directory(path, error);
  const Recipe recipe = load_recipe(run ? (path / "recipe.toml").string() : options.subject, options.set);
  report_networks(report, recipe);
  report_recipe(report, recipe);
}

void run(const Options& options) {
  Report report;
  if (options.subject.empty()) {
    report_machine(report);
  } else {
    report_subject(report, options);
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
