#include "benchmarks/step_command.hpp"

#include "benchmarks/steps/subject.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/core/error.hpp"
#include "tools/build_info.hpp"
#include "tools/options.hpp"
#include "tools/recipe/recipe.hpp"
#include "tools/session.hpp"
#include "tools/validators.hpp"

#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore::bench {

namespace {

struct StepOptions {
  tools::CommonOptions common;
  std::string recipe, network;
  bool adversarial = false;
  std::vector<std::string> work = {"train", "sample"};
  std::optional<int64_t> batch, width;
  Rounds rounds;
};

/// The shipped recipe that stands for a network, alone and with a critic.
struct Stand {
  const char *plain, *adversarial;
};
const std::map<std::string, Stand> kNetworks = {{"ncsnv2", {"cifar10_ncsnv2", "cifar10_ncsnv2_adversarial"}},
                                                {"unet", {"cifar10_unet", "cifar10_unet_adversarial"}},
                                                {"mlp", {"gaussians25_plain", "gaussians25"}}};

tools::Recipe wanted_recipe(const StepOptions& options) {
  if (options.recipe.empty() == options.network.empty()) throw ConfigError("give either --recipe or --network");
  std::vector<std::string> overrides = tools::recipe_overrides(options.common);
  if (options.batch) overrides.push_back(fmt::format("training.batch_size={}", *options.batch));
  if (options.width) overrides.push_back(fmt::format("score.width={}", *options.width));
  std::string name = options.recipe;
  if (name.empty()) {
    const Stand& stand = kNetworks.at(options.network);
    name = options.adversarial ? stand.adversarial : stand.plain;
  }
  tools::Recipe recipe = tools::load_recipe(name, overrides);
  if (options.adversarial && !recipe.has_critic) {
    throw ConfigError(fmt::format("--adversarial: recipe {} has no [critic]", recipe.source));
  }
  return recipe;
}

StepReport time_work(Ctx& ctx, const tools::Recipe& recipe, const std::string& work, const Rounds& rounds) {
  if (work == "train") return time_training(ctx, recipe, rounds);
  if (work == "critic") return time_critic(ctx, recipe, rounds);
  return time_sampling(ctx, recipe, rounds);
}

void print_line(const tools::Recipe& recipe, const std::string& work, Ctx& ctx, const StepReport& report) {
  nlohmann::ordered_json line;
  const bool training = work == "train";
  line["program"] = "ascore";
  line["variant"] = "ascore";
  line["version"] = tools::build_info().version;
  line["case"] = recipe.score.name + "/" + (training && recipe.has_critic ? "adversarial" : work);
  line["device"] = name(ctx.stream.device());
  line["precision"] = name(ctx.compute);
  line["batch"] = recipe.training.batch_size;
  line["width"] = recipe.score.width;
  line["threads"] = ctx.stream.threads();
  line["parameters"] = report.parameters;
  line["ms"] = report.times.median;
  line["ms_quartiles"] = {report.times.lower_quartile, report.times.upper_quartile};
  line["images_per_s"] = 1e3 * static_cast<double>(recipe.training.batch_size) / report.times.median;
  line["launches"] = report.launches ? nlohmann::ordered_json(*report.launches) : nlohmann::ordered_json();
  line["peak_bytes"] = report.peak_bytes;
  if (report.loss) line["loss"] = *report.loss;
  fmt::print("{}\n", line.dump());
}

void add_options(CLI::App& program, StepOptions& options) {
  tools::add_common_options(program, options.common);
  std::vector<std::string> networks;
  for (const auto& [name, stand] : kNetworks) networks.push_back(name);
  program.add_option("--recipe", options.recipe, "a path, or the name of a shipped recipe")->type_name("RECIPE");
  program.add_option("--network", options.network, "in place of a recipe: mlp, ncsnv2 or unet as shipped")
      ->check(CLI::IsMember(networks))
      ->type_name("NAME");
  program.add_flag("--adversarial", options.adversarial, "with a critic");
  program.add_option("--work", options.work, "train, critic, sample (default: train,sample)")
      ->check(CLI::IsMember({"train", "critic", "sample"}))
      ->delimiter(',')
      ->type_name("LIST");
  const auto number = [&](const char* name, auto& value, const char* help, int64_t low) {
    program.add_option(name, value, help)->check(tools::whole_number(low, 1 << 20))->type_name("N");
  };
  number("--batch", options.batch, "in place of the recipe's batch size", 1);
  number("--width", options.width, "in place of the recipe's width", 1);
  number("--warm-up", options.rounds.warm_up, "steps that do not count (default: 3)", 0);
  number("--rounds", options.rounds.rounds, "measurements, of which the median is told (default: 10)", 1);
  number("--steps", options.rounds.steps, "steps per measurement (default: 1; more let a GPU run behind the host)", 1);
}

}  // namespace

int step_command(int argc, char** argv) {
  StepOptions options;
  CLI::App program("Training and sampling steps of a recipe", "ascore-bench step");
  add_options(program, options);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
  const tools::Recipe recipe = wanted_recipe(options);
  for (const std::string& work : options.work) {
    tools::Session session(options.common);  // its own memory: peaks are of one kind of work
    session.run(
        [&] { print_line(recipe, work, session.ctx(), time_work(session.ctx(), recipe, work, options.rounds)); });
  }
  return 0;
}

}  // namespace ascore::bench
