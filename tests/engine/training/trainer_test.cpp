#include "engine/training/trainer.hpp"

#include "engine/io/json_lines.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>

using namespace ascore;
using test::SmallRun;
using test::SmallTrainer;

TEST_CASE("training lowers the held-out loss, with a critic and without") {
  SmallRun run(false, GENERATE(false, true));
  CAPTURE(run.adversarial);
  run.config.training.steps = 300;
  if (run.adversarial) run.config.adversarial->critic_steps = 1;
  SmallTrainer small(run, {});
  const double before = small.trainer.held_out_loss().mean;
  CHECK(small.trainer.held_out_loss().mean == before);  // the same noise at every measurement
  CHECK(small.run() == TrainingEnd::finished);
  const double after = small.trainer.held_out_loss().mean;
  CHECK(before == Approx(1).margin(0.25));  // a network that says nothing misses z in two dimensions
  CHECK(after < 0.75 * before);
  CHECK(small.trainer.held_out_loss().by_level.size() == 10);
}

TEST_CASE("a run that is resumed halfway equals the uninterrupted one, bit for bit") {
  const auto [images, adversarial] = GENERATE(table<bool, bool>({{false, false}, {false, true}, {true, true}}));
  CAPTURE(images, adversarial);
  SmallRun run(images, adversarial);
  const test::TemporaryFolder whole, halves;
  {
    run.config.training.held_out_every = 3;
    run.config.training.preview_every = 1;
    SmallTrainer small(run, whole.path());
    int previews = 0;
    REQUIRE(small.run({.preview = [&](Ctx& ctx, int64_t) {
      CHECK(small.trainer.score().parameters.bound().id() == small.trainer.score().average.id());
      CHECK_FALSE(ctx.training);
      const Shape shape = images ? Shape{1, 8, 8, 1} : Shape{32, 2};
      const Tensor sigma =
          ctx.from_host(std::vector<double>(static_cast<size_t>(shape[0]), 1.0), {shape[0]}, DType::f32);
      small.network->forward(ctx, ctx.from_host(test::normals(64, 1), shape, DType::f32), sigma);
      ++previews;
    }}) == TrainingEnd::finished);
    CHECK(previews == 8);
  }
  run.config.training.held_out_every = run.config.training.preview_every = 0;
  {
    SmallRun first(run.images, run.adversarial);
    first.config.training.steps = 4;
    REQUIRE(SmallTrainer(first, halves.path()).run() == TrainingEnd::finished);
  }
  {
    SmallTrainer small(run, halves.path());
    small.trainer.resume(read_checkpoint(latest_checkpoint(halves.path()).value()));
    CHECK(small.trainer.step() == 4);
    REQUIRE(small.run() == TrainingEnd::finished);
  }
  const std::string reference = test::file_bytes(checkpoint_file(whole.path(), 8));
  CHECK(reference.size() > 1000);
  CHECK(test::file_bytes(checkpoint_file(halves.path(), 8)) == reference);
  CHECK(std::filesystem::exists(checkpoint_file(halves.path(), 0)));

  const auto lines = read_json_lines(whole / "metrics.jsonl"), resumed = read_json_lines(halves / "metrics.jsonl");
  REQUIRE(lines.size() == 8);
  REQUIRE(resumed.size() == 8);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(lines[i].at("step") == static_cast<double>(i + 1));
    CHECK(resumed[i].at("loss") == lines[i].at("loss"));
    CHECK(lines[i].contains("critic") == adversarial);
    const bool measured = i == 2 || i == 5 || i == 7;
    CHECK(lines[i].contains("held_out") == measured);
    const auto by_level =
        std::ranges::count_if(lines[i], [](const auto& field) { return field.first.starts_with("held_out_"); });
    CHECK((by_level > 1) == measured);
  }
}

TEST_CASE("a stop finishes the step, writes a checkpoint, and the run continues from there") {
  const SmallRun run(false, true);
  const test::TemporaryFolder whole, stopped;
  SmallTrainer(run, whole.path()).run();
  std::atomic<bool> stop = false;
  {
    SmallTrainer small(run, stopped.path());
    const TrainerObserver observer{.progress = [&](const Progress& progress) { stop = progress.step == 3; }};
    CHECK(small.trainer.run(stop, observer) == TrainingEnd::stopped);
    CHECK(small.trainer.step() == 3);
  }
  CHECK(latest_checkpoint(stopped.path()) == checkpoint_file(stopped.path(), 3));
  {
    // lines that a killed run wrote after its last checkpoint are written anew
    JsonLines(stopped / "metrics.jsonl").append({{"step", int64_t{4}}, {"loss", 1e9}});
    SmallTrainer small(run, stopped.path());
    small.trainer.resume(read_checkpoint(checkpoint_file(stopped.path(), 3)));
    CHECK(small.run() == TrainingEnd::finished);
    CHECK(small.run() == TrainingEnd::finished);  // nothing is left to do
  }
  CHECK(test::file_bytes(checkpoint_file(stopped.path(), 8)) == test::file_bytes(checkpoint_file(whole.path(), 8)));
  CHECK(read_json_lines(stopped / "metrics.jsonl").size() == 8);
}

TEST_CASE("checkpoints are written as often as asked, and no step's twice") {
  SmallRun run(false, false);
  run.config.training.steps = 5;
  run.config.training.checkpoint_every = 2;
  const test::TemporaryFolder folder;
  std::vector<std::string> saved;
  SmallTrainer small(run, folder.path());
  small.run({.saved = [&](const std::filesystem::path& file) { saved.push_back(file.filename().string()); }});
  CHECK(saved == std::vector<std::string>{"step-000000.safetensors", "step-000002.safetensors",
                                          "step-000004.safetensors", "step-000005.safetensors"});
}

TEST_CASE("a loss that is not finite ends the run, names its step, and leaves average and checkpoint alone") {
  const SmallRun run(false, GENERATE(false, true));
  const test::TemporaryFolder folder;
  SmallTrainer small(run, folder.path());
  std::atomic<bool> stop = false;
  small.trainer.run(stop, {.progress = [&](const Progress& progress) { stop = progress.step == 2; }});
  Learner& score = small.trainer.score();
  const std::vector<double> average = small.ctx.to_host(score.average);
  const Parameter& weight = *score.parameters.parameters().back();
  copy(small.stream, weight.value.view(),
       small.ctx.from_host(std::vector<double>(static_cast<size_t>(weight.shape.count()), NAN), weight.shape,
                           DType::f32));
  score.parameters.mark_changed();
  CHECK_THROWS_AS(small.run(), DivergedError);
  CHECK_THROWS_WITH(small.run(), Catch::Contains(run.adversarial ? "step 3: the critic's loss is nan"
                                                                 : "step 3: the score matching loss is nan") &&
                                     Catch::Contains("resume from step 2"));
  CHECK(small.ctx.to_host(score.average) == average);
  SmallTrainer again(run, folder.path());
  again.trainer.resume(read_checkpoint(find_checkpoint(folder.path())));
  CHECK(again.trainer.step() == 2);
  CHECK(again.ctx.to_host(again.trainer.score().average) == average);
}
