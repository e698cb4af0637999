#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace ascore {

/// What an allocation is for.
enum class MemoryKind : uint8_t { parameters, gradients, optimizer, ema, activations, workspace, data };
inline constexpr int kMemoryKinds = 7;
const char* name(MemoryKind kind);

/// Counts live and peak bytes per kind and per module path. Owned by an allocator; every allocation passes through it.
class MemoryLedger {
 public:
  struct Usage {
    size_t live = 0, peak = 0;
    uint64_t allocations = 0;
  };

  void add(MemoryKind kind, const std::string& path, size_t bytes);
  void remove(MemoryKind kind, const std::string& path, size_t bytes);

  Usage total() const { return total_; }
  Usage of(MemoryKind kind) const { return by_kind_[static_cast<size_t>(kind)]; }
  /// Usage per module path ("res1.0.conv1"; "" outside modules), kinds together.
  const std::map<std::string, Usage>& by_path() const { return by_path_; }
  /// A table for profiles: kinds, live and peak MiB, then the largest paths.
  std::string table() const;
  /// One line for errors: what is live, by kind, then the modules that hold most of it. "812.3 MiB in use: activations
  /// 700.1, parameters 112.2; most by res2.0 (300.0), res1.0 (120.0), (no module) (80.0)"
  std::string summary() const;
  /// The same of the peaks, for when what was live is gone: "at most 812.3 MiB were in use: ...".
  std::string peak_summary() const;

 private:
  std::string largest(size_t Usage::*count) const;

  Usage total_;
  std::array<Usage, kMemoryKinds> by_kind_{};
  std::map<std::string, Usage> by_path_;
};

}  // namespace ascore
