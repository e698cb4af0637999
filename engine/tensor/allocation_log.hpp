#pragma once

#include "engine/tensor/allocator.hpp"

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
/// was, can be worked out afterwards. For profiles: a log grows with every step.
class AllocationLog final : public Allocator {
 public:
  /// `source` outlives the log and what it gives out.
  explicit AllocationLog(Allocator& source);
  ~AllocationLog() override;

  std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) override;
  Device device() const override { return source_.device(); }
  const MemoryLedger& ledger() const override { return source_.ledger(); }

  /// Allocations and releases so far.
  size_t size() const;
  /// Live bytes per kind after each of them.
  std::vector<BytesByKind> timeline() const;
  /// After how many events in [begin, end) most bytes were live (the first time).
  size_t peak(size_t begin, size_t end) const;
  /// What was live after `events` events, by module path ("" outside modules) and kind.
  std::map<std::string, BytesByKind> live_after(size_t events) const;

 private:
  struct State;
  class Logged;
  Allocator& source_;
  std::shared_ptr<State> state_;
};

size_t total(const BytesByKind& bytes);

}  // namespace ascore
