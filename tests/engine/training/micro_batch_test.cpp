// A batch in parts, or in shares of several processes, gives the losses and gradients of the whole one.
#include "kernels/core/error.hpp"
#include "tests/engine/training/game.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <array>
#include <barrier>
#include <thread>

using namespace ascore;
using test::Game;
using test::GameOutcome;

namespace {

constexpr int64_t kCount = 7;
const ScoreNetworkConfig kPoints{.name = "mlp", .sample_shape = {2}, .width = 8, .conditional = true};
const CriticConfig kJudge{.name = "mlp", .sample_shape = {2}, .width = 8};

GameConfig config_of(GanLoss loss, int64_t micro_batch = 0) {
  return {
      .adversarial = AdversarialConfig{.loss = loss, .lambda_dsm = 1.5, .lambda_generator = 0.7, .lambda_critic = 2},
      .range = ValueRange{0, 1},
      .micro_batch = micro_batch};
}

void check_agreement(const GameOutcome& found, const GameOutcome& whole, double tolerance) {
  REQUIRE(found.losses.size() == whole.losses.size());
  for (size_t i = 0; i < whole.losses.size(); ++i) {
    CAPTURE(i);
    CHECK(found.losses[i] == Approx(whole.losses[i]).epsilon(tolerance).margin(1e-14));
  }
  CHECK(test::distance(found.critic, whole.critic) <= tolerance);
  CHECK(test::distance(found.score, whole.score) <= tolerance);
  CHECK(test::distance(found.verdicts, whole.verdicts) <= tolerance);
  CHECK(test::distance(found.fake, whole.fake) <= tolerance);
}

}  // namespace

TEST_CASE("a batch in parts has the losses and the gradients of the whole, for every adversarial loss") {
  const GanLoss loss =
      GENERATE(GanLoss::gan, GanLoss::wgan, GanLoss::hinge, GanLoss::rpgan, GanLoss::ragan, GanLoss::lsgan,
               GanLoss::lsgan_sat, GanLoss::rplsgan, GanLoss::ralsgan, GanLoss::rahinge);
  const int64_t most = GENERATE(1, 3);
  CAPTURE(name(loss), most);
  Game one(kPoints, kJudge, DType::f64), two(kPoints, kJudge, DType::f64);
  const GameOutcome whole = play(one, config_of(loss), one.batch(kCount));
  const GameOutcome parts = play(two, config_of(loss, most), two.batch(kCount));
  check_agreement(parts, whole, 1e-12);
  CHECK(std::ranges::any_of(whole.critic, [](double g) { return g != 0; }));
}

TEST_CASE("plain score matching of a batch in parts, and one part being the whole batch, bit by bit") {
  const auto played = [](GameConfig config, bool adversarial, int64_t most) {
    if (!adversarial) config.adversarial.reset();
    config.micro_batch = most;
    Game game(kPoints, kJudge);
    return play(game, config, game.batch(kCount));
  };
  const GameConfig config = config_of(GanLoss::ragan);
  check_agreement(played(config, false, 2), played(config, false, 0), 1e-6);
  const GameOutcome whole = played(config, true, 0), one = played(config, true, kCount), two = played(config, true, 2);
  CHECK(one.score == whole.score);
  CHECK(one.critic == whole.critic);
  const GameOutcome again = played(config, true, 2);
  CHECK(again.score == two.score);
  CHECK(again.critic == two.critic);
  CHECK(again.losses == two.losses);
}

TEST_CASE("convolutional networks in parts: f32 gradients, dropout, and spectral-norm vectors that advance once") {
  const GanLoss loss = GENERATE(GanLoss::lsgan, GanLoss::ralsgan);
  const bool unet = GENERATE(false, true);
  CAPTURE(name(loss), unet);
  const Shape sample{8, 16, 1};
  const ScoreNetworkConfig score =
      unet ? ScoreNetworkConfig{.name = "unet",
                                .sample_shape = sample,
                                .width = 4,
                                .conditional = true,
                                .multipliers = {1, 2},
                                .attention_levels = {1},
                                .groups = 2,
                                .dropout = 0.3}
           : ScoreNetworkConfig{.name = "ncsnv2", .sample_shape = sample, .width = 4, .spectral_norm = true};
  const CriticConfig critic{.name = "biggan", .sample_shape = sample, .width = 2};
  Game one(score, critic), two(score, critic);
  const auto start = one.buffers();
  const GameOutcome whole = play(one, config_of(loss), one.batch(5));
  const GameOutcome parts = play(two, config_of(loss, 2), two.batch(5));
  check_agreement(parts, whole, 1e-5);
  CHECK(parts.buffers != start);
  REQUIRE(parts.buffers.size() == whole.buffers.size());
  for (size_t i = 0; i < whole.buffers.size(); ++i) {
    CAPTURE(i);
    CHECK(test::distance(parts.buffers[i], whole.buffers[i]) <= 1e-5);
  }
}

TEST_CASE("a part of a batch draws what the whole batch draws for its samples") {
  Game game(kPoints, kJudge);
  const NoisyBatch whole = game.batch(kCount), part = game.batch(3, 2);
  const NoisyBatch expected = rows(whole, {2, 5});
  CHECK(game.values(part.noisy) == game.values(expected.noisy));
  CHECK(game.values(part.sigma) == game.values(expected.sigma));
  CHECK(game.values(part.target) == game.values(expected.target));
}

TEST_CASE("shares of a batch in several processes, each in parts, give the whole batch's gradients in each") {
  const GanLoss loss = GENERATE(GanLoss::lsgan, GanLoss::ragan);
  CAPTURE(name(loss));
  constexpr int kRanks = 2;
  const std::array<BatchShare, kRanks> shares{{{kCount, 0, 4}, {kCount, 4, 3}}};
  Game reference(kPoints, kJudge, DType::f64);
  const GameOutcome whole = play(reference, config_of(loss), reference.batch(kCount));

  std::barrier<> meeting(kRanks);
  std::array<std::vector<double>, kRanks> table;
  std::array<GameOutcome, kRanks> found;
  const auto rank = [&](size_t me) {
    Game game(kPoints, kJudge, DType::f64);
    const auto exchanged = [&](Ctx& ctx, const Tensor& mine) {  // everybody's values, in order of ranks
      table[me] = ctx.to_host(mine);
      meeting.arrive_and_wait();
      std::vector<std::vector<double>> all(table.begin(), table.end());
      meeting.arrive_and_wait();
      return all;
    };
    GameConfig config = config_of(loss, 2);
    config.share = shares[me];
    config.peers.gather = [&](Ctx& ctx, const Tensor& local) {
      std::vector<double> all;
      for (const auto& part : exchanged(ctx, local)) all.insert(all.end(), part.begin(), part.end());
      return ctx.from_host(all, {kCount}, DType::f64);
    };
    config.peers.sum = [&](Ctx& ctx, const Tensor& values) {
      std::vector<double> sum(static_cast<size_t>(values.count()), 0.0);
      for (const auto& part : exchanged(ctx, values)) {
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
      }
      copy(ctx.stream, values.view(), ctx.from_host(sum, values.shape(), DType::f64));
    };
    found[me] = play(game, config, game.batch(shares[me].count, shares[me].first));
  };
  std::thread other(rank, 1);
  rank(0);
  other.join();
  CHECK(found[0].score == found[1].score);
  CHECK(found[0].critic == found[1].critic);
  CHECK(found[0].losses == found[1].losses);
  found[0].verdicts = whole.verdicts;  // those of a process are its own samples'
  found[0].fake = whole.fake;
  check_agreement(found[0], whole, 1e-12);
}

TEST_CASE("networks and losses that take statistics of the batch refuse to be trained in parts") {
  const GameConfig config = config_of(GanLoss::lsgan, 2);
  const Shape images{8, 8, 1};
  const ScoreNetworkConfig plain{.name = "ncsnv2", .sample_shape = images, .width = 4};
  const CriticConfig spectral{.name = "dcgan", .sample_shape = images, .width = 2, .norm = "spectral_norm"};
  ScoreNetworkConfig standardized = plain, normed = plain;
  standardized.standardize = true;
  normed.norm = "batch_norm";
  CriticConfig batch_norm = spectral;
  batch_norm.norm = "batch_norm";
  CHECK_NOTHROW(Game(plain, spectral).game(config));
  CHECK_THROWS_WITH(Game(standardized, spectral).game(config), Catch::Contains("the score network"));
  CHECK_THROWS_WITH(Game(normed, spectral).game(config), Catch::Contains("the score network"));
  CHECK_THROWS_WITH(Game(plain, batch_norm).game(config), Catch::Contains("the critic"));
  GameConfig similarity = config;
  similarity.loss = DsmLoss::l1_msssim;
  CHECK_THROWS_WITH(Game(plain, spectral).game(similarity), Catch::Contains("l1_msssim"));
  CHECK_NOTHROW(Game(standardized, batch_norm).game(config_of(GanLoss::lsgan)));
}

TEST_CASE("a run in parts resumes as if it had not been interrupted") {
  const test::TemporaryFolder whole, halves;
  test::SmallRun run(false, true);
  run.config.training.micro_batch = 24;  // of 64
  run.config.training.steps = 4;
  test::SmallTrainer(run, whole.path()).run();
  run.config.training.steps = 2;
  test::SmallTrainer(run, halves.path()).run();
  run.config.training.steps = 4;
  test::SmallTrainer resumed(run, halves.path());
  resumed.trainer.resume(read_checkpoint(latest_checkpoint(halves.path()).value()));
  resumed.run();
  CHECK(test::file_bytes(checkpoint_file(halves.path(), 4)) == test::file_bytes(checkpoint_file(whole.path(), 4)));
}
