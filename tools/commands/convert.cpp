// ascore convert IN --out F: weights from PyTorch (with --recipe) and to PyTorch (without).
#include "engine/io/safetensors.hpp"
#include "engine/training/interchange.hpp"
#include "kernels/core/error.hpp"
#include "models/ncsn_style.hpp"
#include "models/registry.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/output_file.hpp"
#include "tools/session.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  std::string in, out, recipe;
  std::vector<std::string> set;
  bool overwrite = false;
};

struct Networks {
  explicit Networks(const Recipe& recipe)
      : score(make_score_network(score_network_config(recipe))),
        critic(recipe.has_critic ? make_critic(critic_config(recipe)) : nullptr) {}
  std::unique_ptr<ScoreNetwork> score;
  std::unique_ptr<Critic> critic;
};

/// Calls work(); a DataError about the tensors of a file gains the file's name.
template <class Work>
auto about(const std::string& file, Work work) {
  try {
    return work();
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: {}", file, error.what()));
  }
}

/// The number under `key` in the file's metadata; nothing if there is none.
template <class T>
std::optional<T> number_in(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) return {};
  const std::string& text = found->second;
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// The training step that the file's metadata tell of; 0 if they do not.
int64_t step_of(const SafetensorsFile& file) {
  return std::max<int64_t>(0, number_in<int64_t>(file, "step").value_or(0));
}

constexpr const char* kLastNormEps = "last_norm_eps";

bool takes_last_norm_eps(const Recipe::Score& score) {
  return score.name.starts_with("ncsnv2") && (score.norm == "instance_norm" || score.norm == "batch_norm");
}

/// The original implementation hands its last norm the number of levels where PyTorch's InstanceNorm2d and BatchNorm2d
/// take eps. What was trained so is kept so, unless the recipe says otherwise, or the file's metadata: then it comes
/// from here.
double last_norm_eps(const Recipe& recipe, const SafetensorsFile& file) {
  if (!takes_last_norm_eps(recipe.score) || recipe.score.last_norm_eps > 0) return recipe.score.last_norm_eps;
  return number_in<double>(file, kLastNormEps).value_or(static_cast<double>(recipe.noise.levels));
}

void to_pytorch(const Options& options) {
  const std::filesystem::path file = find_checkpoint(options.in);
  const Checkpoint checkpoint = read_checkpoint(file);
  const Recipe recipe = parse_recipe(checkpoint.recipe, fmt::format("recipe in {}", file.string()), options.set);
  const Networks networks(recipe);
  SafetensorsFile result;
  result.tensors =
      about(file.string(), [&] { return export_networks(checkpoint, *networks.score, networks.critic.get()); });
  result.metadata = {{"format", "pt"}, {"step", fmt::format("{}", checkpoint.step)}};
  if (takes_last_norm_eps(recipe.score)) {
    result.metadata[kLastNormEps] =
        fmt::format("{}", recipe.score.last_norm_eps > 0 ? recipe.score.last_norm_eps : kNormEps);
  }
  write_safetensors(options.out, result);
}

void from_pytorch(const Options& options) {
  Recipe recipe = load_recipe(options.recipe, options.set);
  const SafetensorsFile file = read_safetensors(options.in);
  if (const auto format = file.metadata.find("format");
      format != file.metadata.end() && format->second.starts_with("ascore")) {
    throw ConfigError(
        fmt::format("{}: is a checkpoint of ascore already; without --recipe its weights are written "
                    "for PyTorch",
                    options.in));
  }
  recipe.score.last_norm_eps = last_norm_eps(recipe, file);
  const Networks networks(recipe);
  CommonOptions host;
  host.device = "cpu";
  Session session(host);
  session.run([&] {
    const Checkpoint checkpoint = about(options.in, [&] {
      return import_networks(session.ctx(), file.tensors, step_of(file), trainer_config(recipe), *networks.score,
                             networks.critic.get());
    });
    write_checkpoint(options.out, checkpoint);
  });
}

void run(const Options& options) {
  const std::filesystem::path out = options.out;
  if (out.extension() != ".safetensors") {
    throw ConfigError(fmt::format("--out {}: the file's name must end in .safetensors", options.out));
  }
  check_output_file("--out", out, options.overwrite);
  if (options.recipe.empty())
    to_pytorch(options);
  else
    from_pytorch(options);
  fmt::print("{}\n", options.out);
}

}  // namespace

void add_convert_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("convert", "Bring weights in from PyTorch, or take them out");
  auto options = std::make_shared<Options>();
  command
      ->add_option("in", options->in,
                   "with --recipe: a safetensors file of a state_dict; without: a run folder or a checkpoint")
      ->required()
      ->type_name("IN");
  command->add_option("--out", options->out, "the file to write: a checkpoint, or a state_dict")
      ->required()
      ->type_name("F");
  command->add_option("--recipe", options->recipe, "the model that the weights belong to: a file or a shipped recipe")
      ->type_name("RECIPE");
  command->add_option("--set", options->set, "change a recipe key first; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  command->add_flag("--overwrite", options->overwrite, "replace the file");
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
