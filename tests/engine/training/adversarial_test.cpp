#include "engine/training/adversarial.hpp"

#include "engine/training/noise_levels.hpp"
#include "kernels/core/error.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>

using namespace ascore;

namespace {

constexpr int64_t kCount = 6;

/// A game of two small perceptrons on points in the unit square, in f64.
struct Table {
  test::Bench bench{Device::cpu, DType::f64};
  std::unique_ptr<ScoreNetwork> network =
      make_score_network({.name = "mlp", .sample_shape = {2}, .width = 8, .conditional = true});
  std::unique_ptr<Critic> critic = make_critic({.name = "mlp", .sample_shape = {2}, .width = 8});
  Learner score{bench.ctx, *network, {.lr = 1e-2}, 0.5, DType::f64};
  Learner judge{bench.ctx, *critic, {.lr = 1e-2}, std::nullopt, DType::f64};

  Table() {
    score.initialise(bench.ctx, 1);
    judge.initialise(bench.ctx, 1, "critic");
  }
  AdversarialGame game(const AdversarialConfig& config, std::optional<ValueRange> range = {}) {
    return {{.adversarial = config, .range = range}, *network, score, critic.get(), &judge};
  }
  NoisyBatch batch(ScoreTarget target = ScoreTarget::gaussian) {
    const Tensor clean = bench.normal({kCount, 2}, DType::f64, 7);
    const Tensor levels = bench.ctx.from_host(std::vector<double>{2, 1, 0.5}, {3}, DType::f64);
    return add_noise(bench.ctx, clean, levels, target, {.seed = 1, .stream = 5}, {.seed = 1, .stream = 6});
  }
  std::vector<double> values(const Tensor& x) { return bench.ctx.to_host(x); }
};

}  // namespace

TEST_CASE("noisy samples are clean ones plus their level times the noise that the target names") {
  Table t;
  const NoisyBatch gaussian = t.batch(), dae = t.batch(ScoreTarget::dae);
  const auto clean = t.values(gaussian.clean), noisy = t.values(gaussian.noisy), sigma = t.values(gaussian.sigma),
             target = t.values(gaussian.target);
  for (size_t i = 0; i < noisy.size(); ++i) {
    CHECK((sigma[i / 2] == 2 || sigma[i / 2] == 1 || sigma[i / 2] == 0.5));
    CHECK(noisy[i] == Approx(clean[i] - sigma[i / 2] * target[i]));
  }
  CHECK(t.values(dae.noisy) == noisy);
  CHECK(t.values(dae.target) == clean);
  const Tensor s = t.bench.normal({kCount, 2}, DType::f64, 9);
  CHECK(t.values(denoised(t.bench.ctx, dae, s, ScoreTarget::dae)) == t.values(s));
  const auto h = t.values(denoised(t.bench.ctx, gaussian, s, ScoreTarget::gaussian)), out = t.values(s);
  for (size_t i = 0; i < h.size(); ++i) CHECK(h[i] == Approx(noisy[i] + sigma[i / 2] * out[i]));
}

TEST_CASE("each update moves its own network and leaves the other as it is") {
  Table t;
  AdversarialGame game = t.game({});
  const auto score = t.values(t.score.parameters.flat()), judge = t.values(t.judge.parameters.flat());
  const CriticUpdate d = game.update_critic(t.bench.ctx, t.batch());
  CHECK(t.values(t.score.parameters.flat()) == score);
  const auto moved = t.values(t.judge.parameters.flat());
  CHECK(moved != judge);
  const ScoreUpdate g = game.update_score(t.bench.ctx, t.batch());
  CHECK(t.values(t.judge.parameters.flat()) == moved);
  const auto after = t.values(t.score.parameters.flat()), average = t.values(t.score.average);
  CHECK(after != score);
  for (size_t i = 0; i < after.size(); ++i) CHECK(average[i] == Approx(0.5 * score[i] + 0.5 * after[i]).margin(1e-15));
  CHECK(d.real_verdict.shape() == Shape{kCount});
  CHECK(g.loss == Approx(g.dsm + g.generator));
}

TEST_CASE("the score network's gradient is the weighted sum of the losses' gradients") {
  const auto gradient = [](double dsm, double generator, std::optional<ValueRange> range = {}) {
    Table t;
    t.game({.lambda_dsm = dsm, .lambda_generator = generator}, range).update_score(t.bench.ctx, t.batch());
    return t.values(t.score.gradients);
  };
  const auto plain = gradient(1, 0), generator = gradient(0, 1), both = gradient(2, 3);
  for (size_t i = 0; i < both.size(); ++i) CHECK(both[i] == Approx(2 * plain[i] + 3 * generator[i]).margin(1e-12));
  CHECK(std::ranges::any_of(generator, [](double g) { return g != 0; }));
  // clamped to a range far from every sample, the critic's opinion teaches nothing
  const auto clamped = gradient(0, 1, ValueRange{100, 101});
  CHECK(std::ranges::all_of(clamped, [](double g) { return g == 0; }));

  Table t;
  AdversarialGame alone({}, *t.network, t.score, nullptr, nullptr);
  const ScoreUpdate update = alone.update_score(t.bench.ctx, t.batch());
  CHECK(t.values(t.score.gradients) == plain);
  CHECK(update.loss == update.dsm);
  CHECK_FALSE(update.fake);
}

TEST_CASE("a game needs an adversarial loss and a critic, or neither; and finite numbers") {
  Table t;
  CHECK_THROWS_AS(AdversarialGame({}, *t.network, t.score, t.critic.get(), &t.judge), ConfigError);
  CHECK_THROWS_AS(AdversarialGame({.adversarial = AdversarialConfig{}}, *t.network, t.score, nullptr, nullptr),
                  ConfigError);
  CHECK_THROWS_AS(t.game({.lambda_critic = -1}), ConfigError);

  AdversarialGame game = t.game({.lambda_critic = 1e308});
  NoisyBatch batch = t.batch();
  batch.clean = t.bench.ctx.from_host(std::vector<double>(2 * kCount, 1e160), {kCount, 2}, DType::f64);
  const auto before = t.values(t.judge.parameters.flat());
  CHECK_THROWS_WITH(game.update_critic(t.bench.ctx, batch), Catch::Contains("the critic's loss is inf"));
  CHECK(t.values(t.judge.parameters.flat()) == before);
}
