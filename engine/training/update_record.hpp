#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/update_note/update_note.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ascore {

/// Who learns in an update.
enum class Player : uint8_t { critic = 1, score = 2, classifier = 3 };

/// What the latest updates computed, in device memory: an update is queued, or replayed, without anybody waiting for
/// its losses. The first value that is not finite halts the record: it keeps what it holds, and updates whose optimizer
/// looks at `halted` change nothing any more.
class UpdateRecord {
 public:
  explicit UpdateRecord(Ctx& ctx);

  /// Queues the note of an update: its loss and two parts of it (absent: 0), and whether all of `gradients` is finite.
  void note(Ctx& ctx, Player player, const kernels::UpdateLosses& losses, ConstView gradients, StepScalars draw) const;
  /// f64 [1]: 0 until the record halts.
  StepScalars halted() const { return numbers_.rows(kHalt, kHalt + 1); }
  void clear(Ctx& ctx) const;

  /// The first update that met something not finite.
  struct Halt {
    Player player;
    int64_t draw;      ///< which of the player's updates: what Learner::begin_update was given
    std::string what;  ///< "the critic's loss is nan"
  };
  struct Losses {
    double loss = 0, first_part = 0, second_part = 0;
  };
  struct Values {
    Losses critic, score;  ///< a classifier learns in the place of a score network
    std::optional<Halt> halt;
  };
  /// Waits for the device.
  Values read(Ctx& ctx) const;

 private:
  /// Four numbers of the critic, four of who else learns, then the halt's two.
  static constexpr int64_t kPlayer = 4, kHalt = 8, kAll = 10;
  Tensor numbers_;
};

}  // namespace ascore
