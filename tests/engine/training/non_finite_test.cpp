// What is not finite ends a run at the very step that produced it, before anything learns from it or is saved.
#include "engine/autograd/operations.hpp"
#include "engine/data/dataset.hpp"
#include "engine/data/loader.hpp"
#include "engine/io/json_lines.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <limits>

using namespace ascore;
using test::SmallRun;
using test::SmallTrainer;

namespace {

/// Points of `inner`, but for one of the training samples, which is `value`.
class Poisoned final : public Dataset {
 public:
  Poisoned(std::unique_ptr<Dataset> inner, int64_t at, float value)
      : Dataset(inner->sample_shape(), {}, 0), inner_(std::move(inner)), at_(at), value_(value) {}
  int64_t size(Split split) const override { return inner_->size(split); }
  int64_t label(Split split, int64_t index) const override { return inner_->label(split, index); }

 protected:
  void load(Split split, int64_t index, float* out) const override {
    inner_->read(split, index, out);
    if (split == Split::train && index == at_) out[0] = value_;
  }

 private:
  std::unique_ptr<Dataset> inner_;
  int64_t at_;
  float value_;
};

/// A run whose poisoned sample is first seen in step `step`.
void poison(SmallRun& run, int64_t step, float value) {
  const int64_t batches = run.adversarial ? run.config.adversarial->critic_steps : 1;
  const int64_t batch = run.config.training.batch_size;
  const auto order = epoch_order(run.config.seed, 0, run.data->size(Split::train));
  const auto last_batch_of_step = static_cast<size_t>((step * batches - 1) * batch);
  run.data = std::make_unique<Poisoned>(std::move(run.data), order[last_batch_of_step], value);
}

std::string divergence(SmallTrainer& small) {
  try {
    small.run();
  } catch (const DivergedError& error) {
    return error.what();
  }
  return "no divergence";
}

}  // namespace

TEST_CASE("a sample that is not finite ends the run at the step that meets it, with nothing learnt from it") {
  const bool adversarial = GENERATE(false, true);
  const float value = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const int64_t step = GENERATE(1, 4);
  CAPTURE(adversarial, value, step);
  SmallRun run(false, adversarial);
  run.config.training.checkpoint_every = 1;
  poison(run, step, value);
  const test::TemporaryFolder folder;
  SmallTrainer small(run, folder.path());
  const std::string message = divergence(small);
  CHECK(message.find("step " + std::to_string(step) + ": the ") == 0);
  CHECK(message.find("resume from step " + std::to_string(step - 1)) != std::string::npos);
  CHECK(small.trainer.step() == step - 1);

  // Parameters, average and optimizer are those of a run that ended before.
  run.config.training.steps = step - 1;
  SmallTrainer ended(run, {});
  ended.run();
  const Checkpoint expected = ended.trainer.checkpoint(), found = small.trainer.checkpoint();
  for (const auto& [name, tensor] : expected.tensors) {
    // the critic may have made steps on earlier batches of this iteration; the score network has not moved
    if (!name.starts_with("critic.") && !name.starts_with("optimizer.critic.")) CHECK(found.tensors.at(name) == tensor);
    CHECK(all_finite(found.tensors.at(name)));
  }
  const Checkpoint saved = read_checkpoint(find_checkpoint(folder.path()));
  CHECK(saved.step == step - 1);
  CHECK(saved.tensors == expected.tensors);
  CHECK(read_json_lines(folder / "metrics.jsonl").size() == static_cast<size_t>(step - 1));
}

TEST_CASE("a gradient that is not finite is found although the loss is, before the parameters move") {
  const SmallRun run(false, false);
  SmallTrainer small(run, {});
  Learner& score = small.trainer.score();
  const Tensor weight = score.parameters.parameters().back()->value;
  copy(small.stream, weight.view(), small.ctx.zeros(weight.shape(), DType::f32));
  const std::vector<double> before = small.ctx.to_host(score.parameters.flat());
  const std::vector<double> average = small.ctx.to_host(score.average);
  Tape tape;
  Ctx learning = small.ctx;
  learning.tape = &tape;
  score.watch(tape);
  // zero times 1e38 twice is zero, and its slope 1e76 is infinite in f32
  const Tensor huge = scale(learning, scale(learning, weight, 1e38), 1e38);
  const Tensor loss = pixel_sum(learning, reshape(learning, huge, {1, huge.count(), 1, 1}));
  CHECK(small.ctx.to_host(loss).at(0) == 0);
  const UpdateRecord record(small.ctx);
  score.begin_update(small.ctx, 7);
  score.minimise(learning, tape, loss, Player::score, record);
  const UpdateRecord::Values values = record.read(small.ctx);
  REQUIRE(values.halt);
  CHECK(values.halt->player == Player::score);
  CHECK(values.halt->draw == 7);
  CHECK(values.halt->what.find("of the score network's gradients are not finite") != std::string::npos);
  CHECK(small.ctx.to_host(score.parameters.flat()) == before);
  CHECK(small.ctx.to_host(score.average) == average);
}

TEST_CASE("a state that is not finite is never saved: the last checkpoint stays a good one") {
  SmallRun run(false, false);
  run.config.training.checkpoint_every = 1;
  run.config.score_optimizer.name = "sgd";
  run.config.score_optimizer.lr =
      1e38;  // the first step's gradients are finite, what it makes of the parameters is not
  const test::TemporaryFolder folder;
  SmallTrainer small(run, folder.path());
  const std::string message = divergence(small);
  CHECK(message.find("step ") == 0);
  CHECK(message.find("resume from step ") != std::string::npos);
  const Checkpoint saved = read_checkpoint(find_checkpoint(folder.path()));
  for (const auto& [name, tensor] : saved.tensors) CHECK(all_finite(tensor));
}
