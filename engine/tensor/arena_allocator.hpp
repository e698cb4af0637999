#pragma once

#include "engine/tensor/allocator.hpp"
#include "kernels/core/stream.hpp"

#include <unordered_map>
#include <vector>

namespace ascore {

/// Memory of a captured step (Graph): comes from another allocator, whose ledger counts it, and goes back there only
/// when arena and tensors are gone, because a replay uses the addresses again. Blocks that tensors let go are given to
/// later tensors of the same capture, and of further ones on the same stream, which run one after another.
class ArenaAllocator final : public Allocator {
 public:
  /// `source` outlives the arena.
  explicit ArenaAllocator(Allocator& source);

  std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) override;
  Device device() const override { return source_.device(); }
  const MemoryLedger& ledger() const override { return source_.ledger(); }

  /// Fills all blocks that no tensor uses with NaN: what a captured step reads it must have written itself.
  void poison(Stream& stream) const;

 private:
  /// Blocks that no tensor uses, by size.
  using Free = std::unordered_map<size_t, std::vector<std::shared_ptr<Storage>>>;
  class Block;

  Allocator& source_;
  std::shared_ptr<Free> free_;
};

}  // namespace ascore
