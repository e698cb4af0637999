#include "tools/recipe/recipe.hpp"

#include "kernels/core/error.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tools/recipe/recipe_keys.hpp"
#include "tools/recipe/shipped_recipes.hpp"

#include <fmt/format.h>

using namespace ascore;
using namespace ascore::tools;

namespace {

const std::string kMinimal = "[data]\nname = 'digits'\n[noise]\n[score]\n[training]\n";

/// The message of the ConfigError that reading `text` ends in.
std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse_recipe(text, "my.toml", overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("every shipped recipe reads, and its resolved text reads back the same", "[program]") {
  REQUIRE(shipped_recipes().size() >= 6);
  for (const ShippedRecipe& shipped : shipped_recipes()) {
    INFO(shipped.name);
    const Recipe recipe = load_recipe(std::string(shipped.name));
    const Recipe again = parse_recipe(to_toml(recipe), "again");
    CHECK(differing_keys(recipe, again).empty());
    CHECK(recipe.has_critic == again.has_critic);
    CHECK(to_toml(again) == to_toml(recipe));
  }
}

TEST_CASE("a recipe of data, noise, score and training is complete", "[program]") {
  const Recipe recipe = parse_recipe(kMinimal, "my.toml");
  CHECK_FALSE(recipe.has_critic);
  CHECK(recipe.score.name == "ncsnv2");
  CHECK(recipe.data.image_size == 8);
  CHECK(recipe.score.optimizer.beta1 == 0.9);
  CHECK(refusal("[data]\n[score]\n[training]\n") ==
        "my.toml: table [noise] is missing; a recipe needs data, noise, score and training");
  const Recipe points = parse_recipe("[data]\nname = 'gaussians25'\n[noise]\n[score]\n[critic]\n[training]\n", "p");
  CHECK(points.has_critic);
  CHECK(points.score.name == "mlp");
  CHECK(points.score.conditional);
  CHECK(points.critic.name == "mlp");
  CHECK(points.critic.optimizer.beta1 == -0.5);
  CHECK(points.score.optimizer.beta2 == 0.9);
  CHECK(points.noise.levels == 60);
  const Recipe clean = parse_recipe("[data]\n[noise]\n[score]\ntarget = 'dae'\n[training]\n", "p");
  CHECK(clean.sampling.sampler == "als");
}

TEST_CASE("a classifier's recipe has no score network, and says what it cannot have beside it", "[program]") {
  const Recipe recipe = parse_recipe("[data]\n[classifier]\n[training]\n", "c");
  CHECK(recipe.has_classifier);
  CHECK(recipe.training.preview_every == 0);
  CHECK(to_toml(recipe).find("[score]") == std::string::npos);
  CHECK(differing_keys(recipe, parse_recipe(kMinimal, "m")) ==
        std::vector<std::string>{"classifier", "training.preview_every"});
  const auto refused = [](const std::string& more) { return refusal("[data]\n[training]\n[classifier]\n" + more); };
  for (const char* table : {"noise", "score", "critic", "adversarial", "sampling"}) {
    CHECK(refused(std::string("[") + table + "]\n") ==
          std::string("my.toml:4: ") + table + ": a recipe with a [classifier] trains no score network: leave it out");
  }
  CHECK(refused("width = 12") == "my.toml:4: classifier.width: must be a multiple of 8, not 12");
  CHECK(refusal("[data]\nname = 'gaussians8'\n[training]\n[classifier]\n") ==
        "my.toml:2: data.name: 'gaussians8' has no classes to learn; choose digits, mnist, cifar10 or an array with "
        "labels");
  CHECK(refusal("[data]\n[training]\nmicro_batch = 4\n[classifier]\n") ==
        "my.toml:3: training.micro_batch: a classifier looks at whole batches: choose 0");
  CHECK(refusal("[data]\ntransform = 'rescale'\n[training]\n[classifier]\n") ==
        "my.toml:2: data.transform: a classifier looks at pixels in [0,1]: choose 'none'");
  CHECK(refusal("[classifier]\n[data]\n") ==
        "my.toml: table [training] is missing; a recipe needs data, classifier and training");
}

TEST_CASE("wrong recipes are refused with file, line and key", "[program]") {
  const auto with = [](const std::string& section, const std::string& line) {
    std::string text;
    for (const std::string name : {"data", "noise", "score", "training"}) {
      text += fmt::format("[{}]\n", name);
      if (name == section) text += line + "\n";
    }
    return text;
  };
  CHECK(refusal(with("score", "target = 'dae'") + "[sampling]\nsampler = 'cas'\n") ==
        "my.toml:7: sampling.sampler: a network of score.target 'dae' cannot be sampled by 'cas': choose 'als' or a "
        "flow");
  const std::string critic = kMinimal + "[critic]\n";
  const auto ends = [](const std::string& text, const std::string& end) {
    CAPTURE(text);
    CHECK(text.ends_with(end));
  };
  ends(refusal(critic + "norm = 'none'\n"), "critic.norm: only 'dcgan' has it");
  ends(refusal(critic + "name = 'dcgan'\nattention = 16\n"), "critic.attention: only 'biggan' has it");
  ends(refusal(critic + "attention = 17\n"), "choose one of 0, 4, 8, 16, 32, 64, 128");
  CHECK(refusal(with("score", "widht = 3")) == "my.toml:4: unknown key score.widht; did you mean score.width?");
  CHECK(refusal(with("noise", "width = 3")) == "my.toml:3: unknown key noise.width; did you mean score.width?");
  CHECK(refusal("[scroe]\n" + kMinimal).find("my.toml:1: unknown key scroe") == 0);
  CHECK(refusal(with("score", "width = 'wide'")) == "my.toml:4: score.width must be an integer, not text");
  CHECK(refusal(with("score", "dilation = 1")) == "my.toml:4: score.dilation must be true or false, not an integer");
  CHECK(refusal(with("score", "optimizer = 'adam'")) == "my.toml:4: score.optimizer must be a table, not text");
  CHECK(refusal(with("score", "optimizer = { lr = -1 }")) == "my.toml:4: score.optimizer.lr must be above 0, not -1");
  CHECK(refusal(with("score", "ema = 1")) == "my.toml:4: score.ema must be at least 0 and below 1, not 1");
  CHECK(refusal(with("score", "ema = nan")).find("my.toml:4: score.ema must be") == 0);
  CHECK(refusal(with("score", "name = 'resnet'")) ==
        "my.toml:4: score.name: 'resnet' is unknown; available: mlp, ncsnv2, ncsnv2_deeper, ncsnv2_deepest, unet");
  CHECK(refusal(with("score", "groups = 16")) == "my.toml:4: score.groups: only 'unet' has it");
  CHECK(refusal(with("score", "multipliers = [1, 2.5]")) ==
        "my.toml:4: score.multipliers must be a list of integers, not of a number with a fraction");
  CHECK(refusal(with("score", "multipliers = [1, 0]")).find("my.toml:4: score.multipliers must be at least 1") == 0);
  CHECK(refusal(with("score", "name = 'mlp'")).find("my.toml:4: score.name: 'mlp' does not take the images") == 0);
  CHECK(refusal(with("noise", "sigma_begin = 0.001")).find("my.toml:3: noise.sigma_begin: must be above") == 0);
  CHECK(refusal(with("training", "loss = 'l1_msssim'")).find("training.loss: 'l1_msssim' compares images") !=
        std::string::npos);
  CHECK(refusal(kMinimal + "[adversarial]\n").find("my.toml:6: adversarial: there is no [critic]") == 0);
  CHECK(refusal(with("data", "image_size = 32")).find("my.toml:2: data.image_size") == 0);
  CHECK(refusal(kMinimal + "[data]\n").find("my.toml:6: not valid TOML") == 0);
  CHECK_THROWS_AS(load_recipe("no-such-recipe"), DataError);
}

TEST_CASE("recipes on which fuzzing found toml++ to abort, or worse, are refused like others", "[program]") {
  const std::string text =
      GENERATE("[# a comment", "[\n", "[[[a]]]", "\xc3\xa9 = 1", "a\xc3\xa9 = 1", "[data]\xc3\xa9");
  CAPTURE(text);
  CHECK(refusal(text).find("my.toml:1: not valid TOML") == 0);
}

TEST_CASE("an endless key is refused at once, in a line that can be read", "[program]") {
  const std::string key(3'000'000, 'x');
  const std::string message = refusal(key + " = 1\n" + kMinimal);
  CHECK(message.find("my.toml:1: unknown key xxx") == 0);
  CHECK(message.size() < 200);
}

TEST_CASE("a UNet's recipe has its own defaults, and lists that read back the same", "[program]") {
  const Recipe recipe = parse_recipe(kMinimal, "my.toml", {"score.name=unet", "score.multipliers=[1,3]"});
  CHECK(recipe.score.norm == "group_norm");
  CHECK(recipe.score.activation == "silu");
  CHECK_FALSE(recipe.score.conditional);
  CHECK(recipe.score.multipliers == std::vector<int64_t>{1, 3});
  CHECK(recipe.score.attention_levels == std::vector<int64_t>{1});
  CHECK(differing_keys(recipe, parse_recipe(to_toml(recipe), "again")).empty());
  const Recipe none = parse_recipe(kMinimal, "my.toml", {"score.name=unet", "score.attention_levels=[]"});
  CHECK(none.score.attention_levels.empty());
  CHECK(differing_keys(none, parse_recipe(to_toml(none), "again")).empty());
  CHECK(differing_keys(none, recipe) == std::vector<std::string>{"score.multipliers", "score.attention_levels"});
}

TEST_CASE("--set changes keys, in TOML or as a bare word", "[program]") {
  const auto set = [](std::vector<std::string> overrides) { return parse_recipe(kMinimal, "my.toml", overrides); };
  CHECK(set({"score.width=7"}).score.width == 7);
  CHECK(set({"score.width=7", "score.width=9"}).score.width == 9);
  CHECK(set({"score.optimizer.lr=1e-2"}).score.optimizer.lr == 1e-2);
  CHECK(set({"score.optimizer={beta1=0.5}"}).score.optimizer.beta1 == 0.5);
  CHECK(set({"noise.spacing=linear"}).noise.spacing == "linear");
  CHECK(set({"noise.spacing=\"linear\""}).noise.spacing == "linear");
  CHECK(set({"data.name=cifar10", "data.path=/some/where"}).data.path == "/some/where");
  CHECK(set({"critic.width=8"}).has_critic);
  CHECK_FALSE(load_recipe("digits", {"critic=false"}).has_critic);
  CHECK(refusal(kMinimal, {"score.widht=3"}) ==
        "--set score.widht=3: unknown key score.widht; did you mean score.width?");
  CHECK(refusal(kMinimal, {"score.width"}).find("--set score.width: must read key=value") == 0);
  CHECK(refusal(kMinimal, {"score.width='a"}).find("--set score.width='a: not valid TOML") == 0);
}

TEST_CASE("docs/recipes.md documents every key with its type and default", "[program]") {
  const std::string page = test::contents(std::filesystem::path(ASCORE_SOURCE) / "docs/recipes.md");
  for (const RecipeKey& key : recipe_keys()) {
    const std::string heading = key.section().empty() ? "## Top level" : fmt::format("## [{}]", key.section());
    const size_t begin = page.find(fmt::format("{}\n", heading));
    INFO("section " << heading << " should hold the row\n" << documentation_row(key));
    REQUIRE(begin != std::string::npos);
    const size_t end = std::min(page.find("\n## ", begin), page.size());
    CHECK(page.substr(begin, end - begin).find(documentation_row(key) + "\n") != std::string::npos);
  }
}
