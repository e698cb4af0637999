#pragma once

#include "engine/tensor/allocator.hpp"
#include "engine/tensor/lifetime_plan.hpp"
#include "kernels/core/stream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace ascore {

class ReservedMemory;

/// Memory of steps that allocate the same every time and run one after another on one stream. The first run of a step
/// is written down, with what lives when; from then on all blocks of a step lie in one piece of memory, each where its
/// lifetime allows (plan_lifetimes), and the steps share it. A run that asks for something else is served by other
/// blocks. The piece stays as long as arena or tensors do: a captured step (Graph) uses its addresses again.
///
/// Comes from another allocator, whose ledger every tensor is entered in. Where that one is no ReservedMemory (guarded
/// ones), ordinary runs get their memory from it, one by one; captured steps keep theirs, by size.
class ArenaAllocator final : public Allocator {
 public:
  /// `source` outlives the arena.
  explicit ArenaAllocator(Allocator& source);
  ~ArenaAllocator() override;

  /// A step that will run here; its number.
  size_t add_step();
  /// True when all steps have been written down, so that a captured one finds its place.
  bool ready() const;
  /// One run of a step: `body` allocates here. `captured`: into a graph, which runs it again and again.
  void run(size_t step, bool captured, const std::function<void()>& body);

  std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) override;
  Device device() const override { return source_.device(); }
  const MemoryLedger& ledger() const override { return source_.ledger(); }

  /// Fills all memory that no tensor uses with NaN: what a captured step reads it must have written itself.
  void poison(Stream& stream) const;

  /// Bytes of the one piece; 0 until it is there.
  size_t planned_bytes() const;
  /// Most bytes that one of the steps has in use at once.
  size_t peak_bytes() const;
  /// Allocations that were not as written down.
  size_t deviations() const { return deviations_; }

 private:
  enum class Mode : uint8_t { direct, writing, planned, kept };
  /// Blocks that no tensor uses, by size.
  using Free = std::unordered_map<size_t, std::vector<std::shared_ptr<Storage>>>;
  struct Diary;
  struct Piece;
  class KeptBlock;
  class WrittenBlock;
  class PlannedBlock;
  class NothingReleased;
  struct Step {
    std::vector<Lifetime> blocks = {};
    std::optional<LifetimePlan> plan = {};
  };

  std::shared_ptr<Storage> from_source(size_t bytes, MemoryKind kind);
  std::shared_ptr<Storage> kept(size_t bytes, MemoryKind kind);
  std::shared_ptr<Storage> planned(size_t bytes, MemoryKind kind);
  void make_room();

  Allocator& source_;
  ReservedMemory* const reserved_;  ///< source_, or null
  std::shared_ptr<Free> free_;
  std::shared_ptr<Diary> diary_;  ///< of the run that is written down
  std::shared_ptr<Piece> piece_;
  std::vector<Step> steps_;
  Mode mode_ = Mode::kept;
  Step* step_ = nullptr;  ///< that runs as planned
  bool captured_ = false;
  size_t next_ = 0;  ///< block of it
  size_t deviations_ = 0;
};

}  // namespace ascore
