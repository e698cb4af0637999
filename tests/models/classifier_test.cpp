#include "models/classifier.hpp"

#include "engine/training/trainer.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/temporary_folder.hpp"

#include <atomic>
#include <fstream>
#include <iterator>

using namespace ascore;

namespace {

/// A classifier of the digits that are in the program, in training.
struct DigitsRun {
  test::Bench bench{Device::cpu};
  std::unique_ptr<Dataset> data = open_dataset({.name = "digits"}, 5);
  Classifier network{{.sample_shape = {8, 8, 1}, .width = 8}};
  Trainer trainer;

  explicit DigitsRun(int64_t steps, const std::filesystem::path& folder = {})
      : trainer(bench.ctx, config(steps), network, *data, folder) {}

  static TrainerConfig config(int64_t steps) {
    TrainerConfig result;
    result.seed = 5;
    result.training = {.steps = steps,
                       .batch_size = 32,
                       .checkpoint_every = 0,
                       .preview_every = 0,
                       .held_out_every = 0,
                       .held_out_samples = 1000,
                       .log_every = 4};
    result.score_optimizer.lr = 3e-3;
    result.score_optimizer.beta1 = 0.9;
    result.score_optimizer.beta2 = 0.999;
    result.ema = 0.9;
    result.flip = false;
    return result;
  }
  TrainingEnd run() {
    const std::atomic<bool> never = false;
    return trainer.run(never);
  }
};

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("a classifier learns to tell digits apart that it was not trained on") {
  DigitsRun run(300);
  const HeldOutLoss before = run.trainer.held_out_loss();
  CHECK(before.accuracy.value() < 0.4);
  REQUIRE(run.run() == TrainingEnd::finished);
  const HeldOutLoss after = run.trainer.held_out_loss();
  CHECK(after.accuracy.value() >= 0.95);
  CHECK(after.mean < 0.25);
  CHECK(after.mean < before.mean / 5);
}

TEST_CASE("a classifier's run that is resumed halfway equals the uninterrupted one, bit for bit") {
  const test::TemporaryFolder whole, halves;
  REQUIRE(DigitsRun(8, whole.path()).run() == TrainingEnd::finished);
  REQUIRE(DigitsRun(4, halves.path()).run() == TrainingEnd::finished);
  {
    DigitsRun rest(8, halves.path());
    rest.trainer.resume(read_checkpoint(checkpoint_file(halves.path(), 4)));
    REQUIRE(rest.run() == TrainingEnd::finished);
  }
  const std::string last = contents(checkpoint_file(whole.path(), 8));
  CHECK(!last.empty());
  CHECK(last == contents(checkpoint_file(halves.path(), 8)));
  const std::string log = contents(whole.path() / "metrics.jsonl");
  CHECK(log.find("\"loss\"") != std::string::npos);
  CHECK(log.find("dsm") == std::string::npos);
}

TEST_CASE("a classifier's checkpoint gives the averaged network back, and is none of a score network") {
  const test::TemporaryFolder folder;
  DigitsRun run(8, folder.path());
  REQUIRE(run.run() == TrainingEnd::finished);
  const Checkpoint checkpoint = read_checkpoint(checkpoint_file(folder.path(), 8));
  Classifier again({.sample_shape = {8, 8, 1}, .width = 8});
  ParameterSet parameters(run.bench.ctx, again, DType::f32);
  load_classifier(run.bench.ctx, parameters, checkpoint);
  const Tensor images = run.bench.normal({3, 8, 8, 1}, DType::f32, 7);
  const Learner::Averaged averaged(run.trainer.score());
  CHECK(run.bench.ctx.to_host(again.look(run.bench.ctx, images).logits) ==
        run.bench.ctx.to_host(run.network.forward(run.bench.ctx, images)));
  CHECK_THROWS_AS(load_score_network(run.bench.ctx, parameters, checkpoint, true), DataError);
  Classifier other({.sample_shape = {8, 8, 1}, .width = 16});
  ParameterSet wider(run.bench.ctx, other, DType::f32);
  CHECK_THROWS_AS(load_classifier(run.bench.ctx, wider, checkpoint), DataError);
}

TEST_CASE("a classifier looks at each image by itself, of any sides, in f32, bf16 and f64") {
  test::Bench bench(Device::cpu);
  Classifier network({.sample_shape = {9, 14, 3}, .classes = 7, .width = 8, .blocks = 2});
  ParameterSet parameters(bench.ctx, network, DType::f32);
  parameters.initialise(bench.ctx, 3);
  CHECK(network.width() == 32);
  CHECK(network.classes() == 7);
  const Tensor images = bench.normal({5, 9, 14, 3}, DType::f32, 1);
  const ImageFeatures seen = network.look(bench.ctx, images);
  CHECK(seen.features.shape() == Shape{5, 32});
  CHECK(seen.logits.shape() == Shape{5, 7});
  const std::vector<double> together = bench.ctx.to_host(seen.logits);
  const std::vector<double> alone = bench.ctx.to_host(network.look(bench.ctx, images.rows(2, 3)).logits);
  CHECK(test::max_relative_error(alone, std::span(together).subspan(14, 7)) < 1e-5);
  Ctx coarse = bench.ctx;
  coarse.compute = DType::bf16;
  const Tensor rough = network.forward(coarse, images);
  CHECK(rough.dtype() == DType::f32);
  CHECK(test::relative_error(bench.ctx.to_host(rough), together) < 0.05);
  CHECK_THROWS_AS(network.look(bench.ctx, bench.normal({1, 9, 14, 1}, DType::f32, 1)), DataError);
}

TEST_CASE("classifiers that make no sense are refused") {
  CHECK_THROWS_AS(Classifier({.sample_shape = {3, 8, 1}}), ConfigError);
  CHECK_THROWS_AS(Classifier({.sample_shape = {2}}), ConfigError);
  CHECK_THROWS_AS(Classifier({.width = 12}), ConfigError);
  CHECK_THROWS_AS(Classifier({.classes = 1}), ConfigError);
  CHECK_THROWS_AS(Classifier({.blocks = 0}), ConfigError);
}
