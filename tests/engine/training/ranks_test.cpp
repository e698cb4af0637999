// Training on several ranks is the training of one: the same losses, one set of bits on all ranks, one end.
#include "tests/support/ranks.hpp"

#include "engine/dist/peer_lost.hpp"
#include "engine/io/json_lines.hpp"
#include "engine/training/training_ranks.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

using namespace ascore;
using test::run_ranks;
using test::SmallRun;
using test::SmallTrainer;

namespace {

/// What a rank of a finished run holds.
struct Outcome {
  std::vector<double> losses;
  std::map<std::string, HostTensor> tensors;
};

/// Trains `run` on `size` ranks and gives what each held in the end.
std::vector<Outcome> train(const SmallRun& run, int size, const std::filesystem::path& folder, DType compute,
                           const std::optional<Checkpoint>& from = {}) {
  std::vector<Outcome> outcomes(static_cast<size_t>(size));
  run_ranks(size, [&](Communicator& ranks) {
    Outcome& mine = outcomes[static_cast<size_t>(ranks.rank())];
    SmallTrainer small(run, folder, 8, Device::cpu, compute, &ranks);
    if (from) small.trainer.resume(*from);
    small.run({.progress = [&](const Progress& progress) {
      mine.losses.insert(mine.losses.end(), {progress.loss, progress.dsm, progress.generator, progress.critic});
      if (progress.world_size != size) throw Error("another number of ranks");
    }});
    mine.tensors = small.trainer.checkpoint().tensors;
  });
  return outcomes;
}

/// Another communicator that tells when a sum starts, and when it is asked whether all ranks are there.
class Listening final : public Communicator {
 public:
  explicit Listening(Communicator& ranks) : ranks_(ranks) {}
  std::function<void()> on_sum = {}, on_check = {};

  int rank() const override { return ranks_.rank(); }
  int size() const override { return ranks_.size(); }
  int local_rank() const override { return ranks_.local_rank(); }
  std::string kind() const override { return ranks_.kind(); }
  void barrier() override { ranks_.barrier(); }
  void broadcast(Stream& stream, View view, int root) override { ranks_.broadcast(stream, view, root); }
  Pending start_all_reduce_sum(Stream& stream, View view) override {
    if (on_sum) on_sum();
    return ranks_.start_all_reduce_sum(stream, view);
  }
  void all_gather(Stream& stream, ConstView mine, View all, std::span<const int64_t> counts) override {
    ranks_.all_gather(stream, mine, all, counts);
  }
  std::vector<std::string> exchange(std::string_view mine) override { return ranks_.exchange(mine); }
  void check() override {
    if (on_check) on_check();
    ranks_.check();
  }
  void finish() override { ranks_.finish(); }
  void abandon(int exit_code) noexcept override { ranks_.abandon(exit_code); }

 private:
  Communicator& ranks_;
};

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]) / std::max(1e-3, std::abs(b[i])));
  }
  return largest;
}

}  // namespace

TEST_CASE("losses on 2 and 4 ranks are those of one in f64, and all ranks end with the same bits") {
  const auto [images, adversarial, loss] = GENERATE(table<bool, bool, GanLoss>(
      {{false, false, GanLoss::lsgan}, {false, true, GanLoss::ragan}, {true, true, GanLoss::lsgan}}));
  CAPTURE(images, adversarial, name(loss));
  SmallRun run(images, adversarial);
  run.config.training.batch_size = 7;  // shares of 4 and 3; of 2, 2, 2 and 1
  run.config.training.steps = images ? 3 : 12;
  run.config.training.check_ranks_every = 2;
  if (adversarial) run.config.adversarial->loss = loss;
  const test::TemporaryFolder nowhere;
  const Outcome alone = train(run, 1, {}, DType::f64).front();
  for (const int size : {2, 4}) {
    const std::vector<Outcome> several = train(run, size, {}, DType::f64);
    CAPTURE(size);
    CHECK(largest_difference(several[0].losses, alone.losses) < 1e-9);
    for (const Outcome& rank : several) {
      CHECK(rank.losses == several[0].losses);
      CHECK(rank.tensors == several[0].tensors);
    }
    CHECK(several[0].tensors != alone.tensors);  // sums of another order: if not, nothing was split
    const std::vector<Outcome> again = train(run, size, {}, DType::f64);
    CHECK(again[0].tensors == several[0].tensors);
  }
}

TEST_CASE("parts of a rank's share change the losses by rounding only") {
  SmallRun run(true, true);
  run.config.training.batch_size = 7;
  run.config.training.steps = 2;
  const Outcome alone = train(run, 1, {}, DType::f64).front();
  run.config.training.micro_batch = 2;
  const Outcome parts = train(run, 2, {}, DType::f64).front();
  CHECK(largest_difference(parts.losses, alone.losses) < 1e-10);
}

TEST_CASE("rank 0 writes, and a run goes on with another number of ranks") {
  SmallRun run(false, true);
  run.config.training.batch_size = 9;
  const test::TemporaryFolder folder;
  run.config.training.steps = 4;
  run.config.training.held_out_every = 2;
  train(run, 3, folder.path(), DType::f64);
  const auto lines = read_json_lines(folder / "metrics.jsonl");
  REQUIRE(lines.size() == 4);
  for (const auto& line : lines) {
    CHECK(line.at("world_size") == 3);
    CHECK(line.at("local_batch") == 3);
  }
  run.config.training.held_out_samples = 7;  // shares of 3, 2 and 2
  const test::TemporaryFolder of_three, of_one;
  train(run, 3, of_three.path(), DType::f64);
  train(run, 1, of_one.path(), DType::f64);
  const double alone = read_json_lines(of_one / "metrics.jsonl")[1].at("held_out");
  CHECK(read_json_lines(of_three / "metrics.jsonl")[1].at("held_out") == Approx(alone).epsilon(1e-9));
  run.config.training.steps = 8;
  const Outcome whole = train(run, 1, {}, DType::f64).front();
  const Outcome rest = train(run, 2, {}, DType::f64, read_checkpoint(checkpoint_file(folder.path(), 4))).front();
  REQUIRE(rest.losses.size() * 2 == whole.losses.size());
  CHECK(largest_difference(rest.losses, {whole.losses.begin() + 16, whole.losses.end()}) < 1e-9);
}

TEST_CASE("gradients of the last layers are summed while backward has operations left to run") {
  std::array<std::vector<size_t>, 2> left;  // on the tape, when a sum started
  std::array<bool, 2> equal{};
  run_ranks(2, [&](Communicator& ranks) {
    const auto me = static_cast<size_t>(ranks.rank());
    Stream stream(Device::cpu, {.threads = 1});
    const std::unique_ptr<Allocator> allocator = make_pool_allocator(stream.device());
    Ctx ctx{.stream = stream, .allocator = *allocator};
    const auto network = make_score_network({.name = "mlp", .sample_shape = {2}, .width = 8, .conditional = true});
    Learner learner(ctx, *network, {}, std::nullopt, DType::f32);
    learner.initialise(ctx, 1);
    const Tensor x = ctx.from_host(test::normals(6, me + 1), {3, 2}, DType::f32);
    const Tensor sigma = ctx.from_host(std::vector<double>{1, 2, 3}, {3}, DType::f32);
    Listening listening(ranks);
    TrainingRanks training(listening, 6, 100);  // buckets of 25 numbers
    const BatchPeers peers = training.peers();
    const auto gradients = [&](bool overlaps) {
      Tape tape;
      Ctx learning = ctx;
      learning.tape = &tape;
      learner.watch(tape);
      const Tensor s = network->forward(learning, x, sigma);
      listening.on_sum = [&] { left[me].push_back(tape.size()); };
      if (overlaps) peers.begin_gradients(learning, tape, learner);
      tape.backward(learning, s, x);
      overlaps ? peers.end_gradients(learning) : peers.sum(learning, learner.gradients);
      return ctx.to_host(learner.gradients);
    };
    const std::vector<double> summed = gradients(true);
    const std::vector<size_t> overlapped = left[me];
    equal[me] = summed == gradients(false);
    left[me] = overlapped;
  });
  for (const std::vector<size_t>& starts : left) {
    REQUIRE(starts.size() > 4);
    CHECK(starts.front() > 3);
    CHECK(std::ranges::is_sorted(starts, std::greater<>()));
    CHECK(starts == left[0]);
  }
  CHECK(equal == std::array<bool, 2>{true, true});
}

TEST_CASE("a stop that one rank hears of ends all at the same step, with its checkpoint") {
  SmallRun run(false, false);
  run.config.training.steps = 1000;
  const test::TemporaryFolder folder;
  std::array<int64_t, 3> steps{};
  run_ranks(3, [&](Communicator& ranks) {
    SmallTrainer small(run, folder.path(), 8, Device::cpu, DType::f32, &ranks);
    std::atomic<bool> stop = false;
    const TrainerObserver observer{
        .progress = [&](const Progress& progress) { stop = ranks.rank() == 2 && progress.step == 3; }};
    if (small.trainer.run(stop, observer) != TrainingEnd::stopped) throw Error("not stopped");
    steps[static_cast<size_t>(ranks.rank())] = small.trainer.step();
  });
  CHECK(steps == std::array<int64_t, 3>{3, 3, 3});
  CHECK(latest_checkpoint(folder.path()) == checkpoint_file(folder.path(), 3));
}

TEST_CASE("what is not finite on one rank halts all of them, before anything changes") {
  SmallRun run(false, true);
  std::array<std::string, 3> said;
  run_ranks(3, [&](Communicator& ranks) {
    SmallTrainer small(run, {}, 8, Device::cpu, DType::f32, &ranks);
    const Parameter& weight = *small.trainer.score().parameters.parameters().back();
    const std::vector<double> average = small.ctx.to_host(small.trainer.score().average);
    if (ranks.rank() == 1) {
      const std::vector<double> bad(static_cast<size_t>(weight.shape.count()), NAN);
      copy(small.stream, weight.value.view(), small.ctx.from_host(bad, weight.shape, DType::f32));
      small.trainer.score().parameters.mark_changed();
    }
    try {
      small.run();
    } catch (const DivergedError& error) {
      said[static_cast<size_t>(ranks.rank())] = error.what();
    }
    if (small.ctx.to_host(small.trainer.score().average) != average) throw Error("the average has changed");
  });
  CHECK(said[0] == "step 1: the critic's loss is nan");
  CHECK(said[1] == said[0]);
  CHECK(said[2] == said[0]);
}

TEST_CASE("ranks whose parameters differ are told apart, and named") {
  SmallRun run(false, true);
  run.config.training.steps = 6;
  run.config.training.check_ranks_every = 4;
  std::array<std::string, 3> said;
  run_ranks(3, [&](Communicator& ranks) {
    SmallTrainer small(run, {}, 8, Device::cpu, DType::f32, &ranks);
    if (ranks.rank() == 2) {
      Learner& critic = *small.trainer.critic();
      const Tensor one = critic.parameters.flat().rows(0, 1);
      copy(small.stream, one.view(), small.ctx.from_host(std::vector<double>{0.5}, {1}, DType::f32));
      critic.parameters.mark_changed();
    }
    try {
      small.run();
    } catch (const RanksDifferError& error) {
      said[static_cast<size_t>(ranks.rank())] = error.what();
    }
  });
  for (const std::string& words : said) {
    CHECK(words.starts_with("step 4: the parameters of rank 2 are not those of rank 0"));
  }
}

TEST_CASE("nothing of a step is saved or logged that a lost rank may have spoilt") {
  SmallRun run(false, true);
  run.config.training.steps = 5;
  run.config.training.checkpoint_every = 1;
  const test::TemporaryFolder folder;
  const std::unique_ptr<Communicator> alone = make_self_communicator();
  Listening ranks(*alone);
  SmallTrainer small(run, folder.path(), 8, Device::cpu, DType::f32, &ranks);
  ranks.on_check = [&] {
    if (small.trainer.step() == 3) throw PeerLostError(1, "rank 1 was lost");
  };
  CHECK_THROWS_AS(small.run(), PeerLostError);
  CHECK(latest_checkpoint(folder.path()) == checkpoint_file(folder.path(), 2));
  CHECK(read_json_lines(folder / "metrics.jsonl").size() == 2);
}

TEST_CASE("a batch with fewer samples than ranks is refused, and so are statistics of a batch that is split") {
  SmallRun run(false, false);
  run.config.training.batch_size = 2;
  CHECK_THROWS_AS(train(run, 3, {}, DType::f32), ConfigError);
  run.config.training.batch_size = 3;
  CHECK_NOTHROW(train(run, 3, {}, DType::f32));
}
