// What the trainer gives layers that draw: new numbers in every update, the same ones again after a resume.
#include "engine/autograd/dropout.hpp"
#include "engine/autograd/operations.hpp"
#include "kernels/core/philox.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <set>
#include <tuple>

using namespace ascore;
using test::SmallRun;

namespace {

/// A linear layer on dropped features of points; writes down every key that it sees in training.
class Dropping final : public ScoreNetwork {
 public:
  Dropping() : weight_(parameter("weight", {2, 8}, Init::normal(0, 1))) {
    lift_ = parameter("lift", {8, 2}, Init::normal(0, 1));
  }
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor&) const override {
    if (ctx.training) keys_.emplace_back(ctx.random.seed, ctx.random.stream, step_of(ctx.random));
    const Tensor h = linear(ctx, x, lift_->value, {});  // [N,8]
    const Tensor kept = dropout_channels(ctx, reshape(ctx, h, {x.dim(0), 1, 1, 8}), 0.5, 0);
    return linear(ctx, reshape(ctx, kept, {x.dim(0), 8}), weight_->value, {});
  }
  const auto& keys() const { return keys_; }

 private:
  Parameter *weight_, *lift_;
  mutable std::vector<std::tuple<uint64_t, uint32_t, uint32_t>> keys_;
};

/// A Trainer of such a network.
struct DroppingTrainer {
  Stream stream{Device::cpu, {.threads = 1}};
  std::unique_ptr<Allocator> allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  Dropping network;
  std::unique_ptr<Critic> critic;
  Trainer trainer;

  DroppingTrainer(const SmallRun& run, const std::filesystem::path& folder)
      : critic(make_critic({.name = "mlp", .sample_shape = run.data->sample_shape(), .width = 8})),
        trainer(ctx, run.config, network, critic.get(), *run.data, folder) {}
  void train() {
    const std::atomic<bool> never = false;
    REQUIRE(trainer.run(never) == TrainingEnd::finished);
  }
};

}  // namespace

TEST_CASE("every update drops channels of its own, and a resumed run the same ones") {
  const test::TemporaryFolder whole, halves;
  SmallRun run(false, true);
  run.config.training.steps = 6;
  DroppingTrainer reference(run, whole.path());
  reference.train();
  const auto& keys = reference.network.keys();
  CHECK(keys.size() == 18);  // two critic updates and one of the score network per step
  CHECK(std::set(keys.begin(), keys.end()).size() == 18);

  run.config.training.steps = 3;
  DroppingTrainer(run, halves.path()).train();
  run.config.training.steps = 6;
  DroppingTrainer resumed(run, halves.path());
  resumed.trainer.resume(read_checkpoint(latest_checkpoint(halves.path()).value()));
  resumed.train();
  CHECK(std::equal(resumed.network.keys().begin(), resumed.network.keys().end(), keys.begin() + 9, keys.end()));
  CHECK(test::file_bytes(checkpoint_file(halves.path(), 6)) == test::file_bytes(checkpoint_file(whole.path(), 6)));
}
