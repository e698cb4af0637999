// Memory of training steps by lifetimes: no bit changes, and little more is reserved than lives at once.
#include "engine/tensor/arena_allocator.hpp"
#include "engine/tensor/reserved_memory.hpp"
#include "engine/training/held_buffers.hpp"
#include "kernels/core/memory.hpp"
#include "tests/engine/training/game.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;
using test::Game;

TEST_CASE("planned steps reserve at most a tenth more than is live at once, and give the same bits") {
  const bool unet = GENERATE(false, true);
  const auto [recompute, micro_batch] = GENERATE(table<Recompute, int64_t>(
      {{Recompute::none, 0}, {Recompute::norm, 0}, {Recompute::block, 0}, {Recompute::none, 2}}));
  CAPTURE(unet, static_cast<int>(recompute), micro_batch);
  const Shape sample{16, 8, 3};
  const ScoreNetworkConfig score = unet ? ScoreNetworkConfig{.name = "unet",
                                                             .sample_shape = sample,
                                                             .width = 8,
                                                             .multipliers = {1, 2},
                                                             .attention_levels = {1},
                                                             .groups = 4}
                                        : ScoreNetworkConfig{.name = "ncsnv2", .sample_shape = sample, .width = 8};
  Game table(score, {.name = "biggan", .sample_shape = sample, .width = 4});
  AdversarialGame game = table.game({.adversarial = AdversarialConfig{},
                                     .range = ValueRange{0, 1},
                                     .micro_batch = micro_batch,
                                     .recompute = recompute});
  const NoisyBatch batch = table.batch(4);
  Ctx& plain = table.bench.ctx;
  ArenaAllocator arena(plain.allocator);
  Ctx ctx{plain.stream, arena, nullptr, false, DType::f32, plain.random};
  const UpdateRecord record(plain);
  const HeldBuffers score_start(plain, table.score.parameters), critic_start(plain, table.judge.parameters);
  const Tensor parameters = plain.empty_like(table.score.parameters.flat());
  copy(plain.stream, parameters.view(), table.score.parameters.flat());
  const Tensor critic_parameters = plain.empty_like(table.judge.parameters.flat());
  copy(plain.stream, critic_parameters.view(), table.judge.parameters.flat());
  const size_t critic_step = arena.add_step(), score_step = arena.add_step();
  std::vector<double> gradients[3];
  for (int run = 0; run < 3; ++run) {
    score_start.restore(plain);
    critic_start.restore(plain);
    copy(plain.stream, table.score.parameters.flat().view(), parameters);
    copy(plain.stream, table.judge.parameters.flat().view(), critic_parameters);
    table.score.parameters.mark_changed();
    table.judge.parameters.mark_changed();
    table.judge.begin_update(plain, 0);
    arena.run(critic_step, false, [&] { game.queue_critic(ctx, batch, record); });
    table.score.begin_update(plain, 0);
    arena.run(score_step, false, [&] { game.queue_score(ctx, batch, record); });
    gradients[run] = table.values(table.score.gradients);
    const std::vector<double> critic = table.values(table.judge.gradients);
    gradients[run].insert(gradients[run].end(), critic.begin(), critic.end());
  }
  CHECK(gradients[1] == gradients[0]);
  CHECK(gradients[2] == gradients[0]);
  CHECK(arena.deviations() == 0);
  CHECK(static_cast<double>(arena.planned_bytes()) <= 1.1 * static_cast<double>(arena.peak_bytes()));
  const auto& reserved = dynamic_cast<const ReservedMemory&>(plain.allocator);
  const size_t live = plain.allocator.ledger().total().live;
  CHECK(reserved.reserved_bytes() <= live + arena.planned_bytes() + 64 * 1024);  // and what the test itself read
}
