// Captured steps give the bits of ordinary ones: a run's checkpoints, its metrics, and samples.
#include "engine/io/json_lines.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/step_values/step_values.hpp"
#include "samplers/sampling.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace ascore;
using test::SmallRun;
using test::SmallTrainer;

namespace {

/// A run on `device` of `steps` steps, each looked at.
SmallRun small_run(Device device, bool images, bool adversarial, int64_t steps) {
  SmallRun run(images, adversarial);
  run.config.training.steps = steps;
  run.config.training.batch_size = images ? 2 : 8;
  run.config.training.held_out_samples = 4;
  run.config.training.held_out_every = device == Device::cpu ? 1 : 2;
  return run;
}

/// Checkpoint and metrics of a run, in words of bytes; clocks are left out.
struct Outcome {
  std::string checkpoint;
  std::vector<std::map<std::string, double>> metrics;
  size_t held = 0;  ///< bytes that the trainer keeps after the run
};
Outcome outcome(const std::filesystem::path& folder, int64_t step) {
  Outcome result{test::file_bytes(checkpoint_file(folder, step)), {}, 0};
  for (const auto& line : read_json_lines(folder / "metrics.jsonl")) {
    result.metrics.emplace_back(line.begin(), line.end());
    result.metrics.back().erase("seconds");
    result.metrics.back().erase("samples_per_second");
  }
  return result;
}

Outcome trained(SmallRun run, Device device, bool graphs) {
  const test::TemporaryFolder folder;
  run.config.training.cuda_graphs = graphs;
  SmallTrainer small(run, folder.path(), 16, device);
  REQUIRE(small.run() == TrainingEnd::finished);
  test::require_kernels_ran(small.stream);
  Outcome result = outcome(folder.path(), run.config.training.steps);
  result.held = small.allocator->ledger().total().live;
  return result;
}

}  // namespace

TEST_CASE("a run of captured steps writes the checkpoints and metrics of ordinary ones, byte for byte") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto [images, adversarial, micro_batch] =
      GENERATE(table<bool, bool, int64_t>({{false, false, 0}, {false, true, 0}, {false, true, 3}, {true, true, 0}}));
  CAPTURE(name(device), images, adversarial, micro_batch);
  const int64_t steps = images ? 3 : 6;
  SmallRun run = small_run(device, images, adversarial, steps);
  run.config.training.micro_batch = micro_batch;
  const Outcome plain = trained(std::move(run), device, false);
  run = small_run(device, images, adversarial, steps);
  run.config.training.micro_batch = micro_batch;
  const Outcome graphs = trained(std::move(run), device, true);
  CHECK(plain.checkpoint.size() > 1000);
  CHECK(graphs.checkpoint == plain.checkpoint);
  REQUIRE(plain.metrics.size() == static_cast<size_t>(steps));
  CHECK(graphs.metrics == plain.metrics);
  CHECK(graphs.held == plain.held);  // the memory of captured steps is reserved, and no tensor's
}

TEST_CASE("a run of captured steps that is stopped and resumed equals the uninterrupted one") {
  const auto device = GENERATE(from_range(test::devices()));
  CAPTURE(name(device));
  const SmallRun whole = small_run(device, false, true, 7);
  const Outcome expected = trained(small_run(device, false, true, 7), device, true);
  const test::TemporaryFolder folder;
  {
    std::atomic<bool> stop = false;
    SmallTrainer first(whole, folder.path(), 16, device);
    CHECK(first.trainer.run(stop, {.progress = [&](const Progress& p) { stop = p.step == 4; }}) ==
          TrainingEnd::stopped);
    stop = false;
    CHECK(first.trainer.run(stop, {.progress = [&](const Progress& p) { stop = p.step == 5; }}) ==
          TrainingEnd::stopped);
  }
  SmallTrainer second(whole, folder.path(), 16, device);
  second.trainer.resume(read_checkpoint(checkpoint_file(folder.path(), 5)));
  REQUIRE(second.run() == TrainingEnd::finished);
  const Outcome found = outcome(folder.path(), 7);
  CHECK(found.checkpoint == expected.checkpoint);
  CHECK(found.metrics == expected.metrics);
}

TEST_CASE("losses are looked at every log_every steps, and a divergence in between is told of the step it was in") {
  const auto device = GENERATE(from_range(test::devices()));
  const bool adversarial = GENERATE(false, true);
  CAPTURE(name(device), adversarial);
  SmallRun run = small_run(device, false, adversarial, 8);
  run.config.training.held_out_every = 0;
  run.config.training.log_every = 6;
  const test::TemporaryFolder folder;
  SmallTrainer small(run, folder.path(), 16, device);
  Learner& score = small.trainer.score();
  const Tensor bias = score.parameters.parameters().back()->value;
  Checkpoint good;
  const TrainerObserver observer{.progress = [&](const Progress& progress) {
    if (progress.step != 3) return;
    good = small.trainer.checkpoint();
    copy(small.stream, bias.view(),
         small.ctx.from_host(std::vector<double>(static_cast<size_t>(bias.count()), NAN), bias.shape(), DType::f32));
    score.parameters.mark_changed();
  }};
  CHECK_THROWS_WITH(small.run(observer), Catch::Contains("step 4: the ") && Catch::Contains(" loss is nan") &&
                                             Catch::Contains(adversarial ? "critic's" : "score matching") &&
                                             Catch::Contains("resume from step 0"));
  CHECK(small.trainer.step() == 3);
  const Checkpoint found = small.trainer.checkpoint();
  CHECK(found.optimizer_steps == good.optimizer_steps);
  CHECK(found.data_position == good.data_position);
  for (const auto& [name, tensor] : good.tensors) {
    const bool poisoned = name.find(score.parameters.parameters().back()->name) != std::string::npos;
    if (!poisoned) {
      CAPTURE(name);
      CHECK(found.tensors.at(name) == tensor);
    }
  }
}

TEST_CASE("samples of captured steps have the bits of ordinary ones, which are not captured") {
  const auto device = GENERATE(from_range(test::devices()));
  const SamplerKind sampler = GENERATE(SamplerKind::cas, SamplerKind::als);
  const bool noise_first = GENERATE(false, true);
  if (noise_first && sampler == SamplerKind::cas) return;
  CAPTURE(name(device), name(sampler), noise_first);
  test::Bench bench(device);
  const auto network = make_score_network({.name = "mlp", .sample_shape = {2}, .width = 16, .conditional = true});
  ParameterSet parameters(bench.ctx, *network, DType::f32);
  parameters.initialise(bench.ctx, 3);
  size_t asked = 0, asked_on_device = 0;
  const ScoreFn score = [&](Ctx& c, const Tensor& x, const NoiseLevel& sigma) {
    ++asked;
    asked_on_device += sigma.replayed();
    Tensor levels = c.empty({x.dim(0)}, x.dtype()), estimate = c.empty_like(x);
    if (sigma.replayed()) {
      CHECK_THROWS_AS(sigma.on_host(), Error);
      kernels::fill_with(c.stream, sigma.sigma(), levels);
      kernels::scale_with(c.stream, network->forward(c, x, levels), sigma.reciprocal(), estimate);
      return estimate;
    }
    const std::vector<double> rows(static_cast<size_t>(x.dim(0)), sigma);
    return scale(c, network->forward(c, x, c.from_host(rows, {x.dim(0)}, x.dtype())), 1 / sigma.on_host());
  };
  SamplingPlan plan = make_plan({.sampler = sampler, .noise_first = noise_first}, {4, 0.1, 6, Spacing::geometric});
  const NoiseKey key{.seed = 7, .stream = 17, .first_sample = 3, .step = 2};
  std::vector<std::vector<double>> seen[2], results[2];
  for (const bool replayed : {false, true}) {
    plan.replayed = replayed;
    asked = asked_on_device = 0;
    const Tensor x = prior_start(bench.ctx, {5, 2}, 4, {.seed = 1, .stream = 16});
    const Samples samples = run_sampler(bench.ctx, plan, score, x, key, [&](size_t step, const Tensor& state) {
      CHECK(step == seen[replayed].size());
      seen[replayed].push_back(bench.ctx.to_host(state));
    });
    results[replayed] = {bench.ctx.to_host(samples.plain), bench.ctx.to_host(samples.denoised)};
    const bool captured = replayed && device != Device::cpu;
    // an ordinary first step, the capture, and the last step, whose sample is denoised too
    CHECK(asked == (captured ? 3 : 6));
    CHECK(asked_on_device == (captured ? 2 : 0));
  }
  CHECK(seen[0].size() == 6);
  CHECK(seen[0] == seen[1]);
  CHECK(results[0] == results[1]);
  test::require_kernels_ran(bench.stream);
}
