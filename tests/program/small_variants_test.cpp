// A small variant of every shipped recipe learns on real data: some hundred steps lower its loss on held-out samples.
#include "engine/data/cifar10_files.hpp"
#include "engine/io/npz.hpp"
#include "models/registry.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tools/configs.hpp"
#include "tools/recipe/shipped_recipes.hpp"

#include <fmt/format.h>

using namespace ascore;
using namespace ascore::tools;

namespace {

using Words = std::vector<std::string>;

/// What makes a recipe small, whatever it is.
const Words kShort = {"training.checkpoint_every=0", "training.preview_every=0", "training.held_out_every=0",
                      "score.ema=0.8", "training.held_out_samples=64"};

/// What makes its network small, and how long that learns. The loss must fall below `factor` of its start.
struct Small {
  Words overrides;
  double factor;
};
Small small_network(const std::string& name) {
  if (name == "mlp") return {{"score.width=32", "training.batch_size=64", "training.steps=200"}, 0.9};
  if (name.starts_with("ncsnv2")) {
    return {{"score.width=4", "training.batch_size=2", "training.steps=100", "score.optimizer.lr=5e-3"}, 0.9};
  }
  if (name == "unet") {
    return {{"score.width=8", "score.groups=4", "score.multipliers=[1,2]", "training.batch_size=2",
             "training.steps=100", "score.optimizer.lr=5e-3"},
            0.9};
  }
  FAIL("say here how the network " << name << " is made small");
  return {};
}

Words small_critic(const std::string& name) {
  if (name == "mlp") return {"critic.width=16"};
  if (name == "biggan") return {"critic.width=2"};
  FAIL("say here how the critic " << name << " is made small");
  return {};
}

/// The data set, or a few of its samples from tests/data.
Words few_samples(const std::string& data, const std::string& folder) {
  if (data == "lsun" || data == "celeba" || data == "ffhq") {
    return {"data.name=array", "data.path=" ASCORE_TEST_DATA "/photos64/crops.npz", "data.image_size=64",
            "data.channels=3", "data.test_fraction=0.5"};
  }
  if (data == "cifar10") {
    ByteImages images;
    append_cifar10_file(ASCORE_TEST_DATA "/cifar10/first_12.bin", 12, images);
    write_npz(folder + "/cifar.npz", {{"images", HostTensor::from(images.pixels, {12, 32, 32, 3})}});
    return {"data.name=array", "data.path=" + folder + "/cifar.npz", "data.image_size=32", "data.channels=3",
            "data.test_fraction=0.5"};
  }
  if (data == "mnist" || data == "stackedmnist") return {"data.path=" ASCORE_TEST_DATA "/mnist"};
  if (data == "digits") return {"training.steps=200"};
  if (is_point_data(data)) return {};
  FAIL("say here where samples of the data set " << data << " are");
  return {};
}

Recipe small_variant(const std::string& name, const std::string& folder, double& factor) {
  const Recipe whole = load_recipe(name);
  const Small network = small_network(whole.score.name);
  factor = network.factor;
  Words overrides = kShort;
  const auto more = [&](const Words& words) { overrides.insert(overrides.end(), words.begin(), words.end()); };
  more(network.overrides);
  if (whole.has_critic) more(small_critic(whole.critic.name));
  more(few_samples(whole.data.name, folder));
  return load_recipe(name, overrides);
}

}  // namespace

TEST_CASE("a small variant of every shipped recipe with a score network lowers its held-out loss on real data",
          "[program]") {
  std::vector<std::string> names;
  for (const ShippedRecipe& shipped : shipped_recipes()) {
    if (!load_recipe(std::string(shipped.name)).has_classifier) names.emplace_back(shipped.name);
  }
  const std::string name = GENERATE_COPY(from_range(names));
  const test::Folder folder;
  Stream stream(Device::cpu, {.threads = 1});
  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  double factor = 0;
  const Recipe recipe = small_variant(name, folder / "", factor);
  const auto data = open_dataset(data_config(recipe), 1);
  const auto network = make_score_network(score_network_config(recipe));
  const auto critic = recipe.has_critic ? make_critic(critic_config(recipe)) : nullptr;
  Trainer trainer(ctx, trainer_config(recipe), *network, critic.get(), *data, {});
  const double before = trainer.held_out_loss().mean;
  const std::atomic<bool> never = false;
  REQUIRE(trainer.run(never) == TrainingEnd::finished);
  const double after = trainer.held_out_loss().mean;
  INFO(name << ": held-out loss " << before << " before, " << after << " after");
  CHECK(after < factor * before);
  // What a network that puts out nothing loses on average: half the square of the noise.
  CHECK(after < 0.5 * static_cast<double>(data->sample_shape().count()));
}

TEST_CASE("a small variant of every shipped classifier learns what it is shown", "[program]") {
  const auto [name, batch] = GENERATE(table<std::string, std::string>(
      {{"mnist_classifier", "training.batch_size=16"}, {"cifar10_classifier", "training.batch_size=4"}}));
  const test::Folder folder;
  Stream stream(Device::cpu, {.threads = 1});
  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  Words overrides = few_samples(load_recipe(name).data.name, folder / "");
  for (const std::string& more :
       Words{batch, "training.steps=150", "classifier.lr=5e-3", "classifier.width=8", "classifier.blocks=1"}) {
    overrides.push_back(more);
  }
  const Recipe recipe = load_recipe(name, overrides);
  const auto data = open_dataset(data_config(recipe), 1);
  Classifier classifier(classifier_config(recipe));
  Trainer trainer(ctx, trainer_config(recipe), classifier, *data, {});
  double last = 0;
  const std::atomic<bool> never = false;
  REQUIRE(trainer.run(never, {.progress = [&](const Progress& progress) { last = progress.loss; }}) ==
          TrainingEnd::finished);
  CHECK(last < 1);  // of ten classes nothing is known at ln 10 = 2.3
}
