// What training does again in backward changes no bit of it, and is not kept.
#include "engine/autograd/tape.hpp"
#include "tests/engine/training/game.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;
using test::Game;
using test::GameOutcome;

namespace {

const Shape kSample{8, 4, 1};

struct Pair {
  ScoreNetworkConfig score;
  CriticConfig critic;
};
Pair spectral() {
  return {{.name = "ncsnv2", .sample_shape = kSample, .width = 4, .spectral_norm = true},
          {.name = "biggan", .sample_shape = kSample, .width = 2}};
}
Pair with_attention() {
  const Shape sample{8, 8, 1};
  return {{.name = "unet",
           .sample_shape = sample,
           .width = 4,
           .conditional = true,
           .multipliers = {1, 2},
           .attention_levels = {1},
           .groups = 2,
           .dropout = 0.3},
          {.name = "biggan", .sample_shape = sample, .width = 4, .attention = 16}};
}
Pair batch_normed(const char* norm, Activation activation) {
  return {{.name = "ncsnv2", .sample_shape = {8, 8, 1}, .width = 4, .activation = activation, .norm = norm},
          {.name = "dcgan", .sample_shape = {8, 8, 1}, .width = 2}};
}

GameOutcome played(const Pair& networks, Device device, DType compute, Recompute recompute) {
  Game game(networks.score, networks.critic, DType::f32, device, compute);
  GameOutcome outcome = play(
      game, {.adversarial = AdversarialConfig{}, .range = ValueRange{0, 1}, .recompute = recompute}, game.batch(2));
  test::require_kernels_ran(game.bench.stream);
  return outcome;
}

void check_same_bits(const Pair& networks, Device device, DType compute) {
  const GameOutcome kept = played(networks, device, compute, Recompute::none);
  CHECK(std::ranges::any_of(kept.score, [](double g) { return g != 0; }));
  CHECK(std::ranges::any_of(kept.critic, [](double g) { return g != 0; }));
  for (const Recompute recompute : {Recompute::norm, Recompute::block}) {
    CAPTURE(static_cast<int>(recompute));
    const GameOutcome again = played(networks, device, compute, recompute);
    CHECK(again.losses == kept.losses);
    CHECK(again.critic == kept.critic);
    CHECK(again.score == kept.score);
    CHECK(again.buffers == kept.buffers);
  }
}

/// Bytes that one image adds to what is live between forward and backward of a score network.
double held_by_an_image(const ScoreNetworkConfig& config, DType compute, Recompute recompute) {
  double live[2];
  for (const int64_t count : {2, 4}) {
    Game game(config, {.name = "biggan", .sample_shape = config.sample_shape, .width = 2}, DType::f32, Device::cpu,
              compute);
    const NoisyBatch batch = game.batch(count);
    Tape tape(recompute);
    Ctx ctx = game.bench.ctx;
    ctx.training = true;
    ctx.tape = &tape;
    game.score.watch(tape);
    const size_t before = ctx.allocator.ledger().total().live;
    const ScoreEvaluation evaluation = evaluate_score(ctx, *game.network, batch, DsmLoss::l2);
    live[count / 4] = static_cast<double>(ctx.allocator.ledger().total().live - before);
  }
  return (live[1] - live[0]) / 2;
}

}  // namespace

TEST_CASE("recomputation gives the bits of training that keeps everything") {
  const Device device = GENERATE(from_range(test::devices()));
  const DType compute = GENERATE(DType::f32, DType::bf16);
  CAPTURE(name(device), name(compute));
  check_same_bits(spectral(), device, compute);
}

TEST_CASE("recomputation drops the same channels, and attends as before") {
  const Device device = GENERATE(from_range(test::devices()));
  CAPTURE(name(device));
  check_same_bits(with_attention(), device, DType::f32);
}

TEST_CASE("recomputation shows a batch to batch normalisation once, and serves every norm and activation") {
  const auto [norm, activation] = GENERATE(table<const char*, Activation>({{"batch_norm", Activation::silu},
                                                                           {"instance_norm_plus", Activation::silu},
                                                                           {"instance_norm", Activation::elu},
                                                                           {"variance_norm", Activation::relu},
                                                                           {"none", Activation::elu}}));
  CAPTURE(norm);
  check_same_bits(batch_normed(norm, activation), Device::cpu, DType::f32);
}

TEST_CASE("what is done again is not kept") {
  const bool unet = GENERATE(false, true);
  const DType compute = GENERATE(DType::f32, DType::bf16);
  CAPTURE(unet, name(compute));
  ScoreNetworkConfig config = unet ? with_attention().score : ScoreNetworkConfig{.name = "ncsnv2", .width = 8};
  config.sample_shape = {16, 8, 3};
  const double all = held_by_an_image(config, compute, Recompute::none);
  const double without_norms = held_by_an_image(config, compute, Recompute::norm);
  const double without_blocks = held_by_an_image(config, compute, Recompute::block);
  CHECK(without_norms < 0.9 * all);
  CHECK(without_blocks < 0.5 * all);
}
