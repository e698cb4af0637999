#include "engine/training/update_record.hpp"

#include "kernels/core/memory.hpp"
#include "kernels/finite/finite.hpp"

#include <array>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace ascore {

namespace {

/// Where the first number that is not finite stands, and what it is called; parts before their sum.
std::string complaint(Player player, std::span<const double> numbers) {
  struct Name {
    size_t at;
    const char* text;
  };
  constexpr Name critic[] = {{0, "critic's"}};
  constexpr Name score[] = {{1, "score matching"}, {2, "generator's"}, {0, "score network's"}};
  constexpr Name classifier[] = {{0, "classifier's"}};
  struct Words {
    const char* who;
    std::span<const Name> losses;
  };
  const Words words = player == Player::critic  ? Words{"critic", critic}
                      : player == Player::score ? Words{"score network", score}
                                                : Words{"classifier", classifier};
  for (const Name& name : words.losses) {
    if (!std::isfinite(numbers[name.at])) return fmt::format("the {} loss is {}", name.text, numbers[name.at]);
  }
  return fmt::format("{:.0f} of the {}'s gradients are not finite", numbers[3], words.who);
}

}  // namespace

UpdateRecord::UpdateRecord(Ctx& ctx) : numbers_(ctx.zeros({kAll}, DType::f64, MemoryKind::workspace)) {}

void UpdateRecord::note(Ctx& ctx, Player player, const kernels::UpdateLosses& losses, ConstView gradients,
                        StepScalars draw) const {
  const Tensor bad = ctx.empty({1}, DType::i32, MemoryKind::workspace);
  kernels::count_nonfinite(ctx.stream, gradients, bad.view());
  const int64_t first = player == Player::critic ? 0 : kPlayer;
  kernels::update_note(ctx.stream, losses, bad, draw, static_cast<double>(player),
                       numbers_.rows(first, first + kPlayer), numbers_.rows(kHalt, kAll));
}

void UpdateRecord::clear(Ctx& ctx) const {
  fill_bytes(ctx.stream, numbers_.view(), 0);
}

UpdateRecord::Values UpdateRecord::read(Ctx& ctx) const {
  const std::vector<double> numbers = ctx.to_host(numbers_);
  const std::span<const double> all(numbers), critic = all.first(kPlayer), score = all.subspan(kPlayer, kPlayer);
  Values values{.critic = {critic[0], critic[1], critic[2]}, .score = {score[0], score[1], score[2]}, .halt = {}};
  if (const double who = all[kHalt]; who != 0) {
    const auto player = static_cast<Player>(who);
    values.halt = {player, static_cast<int64_t>(all[kHalt + 1]),
                   complaint(player, player == Player::critic ? critic : score)};
  }
  return values;
}

}  // namespace ascore
