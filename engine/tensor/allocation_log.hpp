#pragma once

#include "engine/tensor/reserved_memory.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ascore {

/// Live bytes per kind.
using BytesByKind = std::array<size_t, kMemoryKinds>;

/// Writes down every allocation and release of another allocator, in order: what was live at any moment, and whose it
/// was, can be worked out afterwards; the parts of reserved pieces too. For profiles: a log grows with every step.
class AllocationLog final : public Allocator, public ReservedMemory {
 public:
  /// `source`, which is a ReservedMemory too, outlives the log and what it gives out.
  explicit AllocationLog(Allocator& source);
  ~AllocationLog() override;

  std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) override;
  Device device() const override { return source_.device(); }
  const MemoryLedger& ledger() const override { return source_.ledger(); }

  size_t reserved_bytes() const override { return reserved_.reserved_bytes(); }
  void release_unused() override { reserved_.release_unused(); }
  void allow_release(bool allowed) override { reserved_.allow_release(allowed); }
  std::shared_ptr<Storage> reserve(size_t bytes) override;
  std::shared_ptr<MemoryBooks> books() override;

  /// Allocations and releases so far.
  size_t size() const;
  /// Live bytes per kind after each of them.
  std::vector<BytesByKind> timeline() const;
  /// After how many events in [begin, end) most bytes were live (the first time).
  size_t peak(size_t begin, size_t end) const;
  /// What was live after `events` events, by module path ("" outside modules) and kind.
  std::map<std::string, BytesByKind> live_after(size_t events) const;
  /// Most bytes that were held at once: what was allocated, and reserved pieces whole.
  size_t most_held() const;

 private:
  struct State;
  class Logged;
  class Piece;
  class Books;
  Allocator& source_;
  ReservedMemory& reserved_;  ///< source_
  std::shared_ptr<State> state_;
};

size_t total(const BytesByKind& bytes);

}  // namespace ascore
