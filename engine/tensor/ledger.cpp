#include "engine/tensor/ledger.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace ascore {

const char* name(MemoryKind kind) {
  constexpr const char* names[] = {"parameters", "gradients", "optimizer", "activations", "workspace", "data"};
  return names[static_cast<size_t>(kind)];
}

namespace {
void grow(MemoryLedger::Usage& usage, size_t bytes) {
  usage.live += bytes;
  usage.peak = std::max(usage.peak, usage.live);
  ++usage.allocations;
}
double mib(size_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}
}  // namespace

void MemoryLedger::add(MemoryKind kind, const std::string& path, size_t bytes) {
  grow(total_, bytes);
  grow(by_kind_[static_cast<size_t>(kind)], bytes);
  grow(by_path_[path], bytes);
}

void MemoryLedger::remove(MemoryKind kind, const std::string& path, size_t bytes) {
  total_.live -= bytes;
  by_kind_[static_cast<size_t>(kind)].live -= bytes;
  by_path_[path].live -= bytes;
}

std::string MemoryLedger::table() const {
  std::string text = fmt::format("{:<14}{:>12}{:>12}\n", "memory", "live MiB", "peak MiB");
  for (int k = 0; k < kMemoryKinds; ++k) {
    const Usage& usage = by_kind_[static_cast<size_t>(k)];
    text +=
        fmt::format("{:<14}{:>12.2f}{:>12.2f}\n", name(static_cast<MemoryKind>(k)), mib(usage.live), mib(usage.peak));
  }
  text += fmt::format("{:<14}{:>12.2f}{:>12.2f}\n", "total", mib(total_.live), mib(total_.peak));
  std::vector<std::pair<std::string, Usage>> paths(by_path_.begin(), by_path_.end());
  std::stable_sort(paths.begin(), paths.end(),
                   [](const auto& a, const auto& b) { return a.second.peak > b.second.peak; });
  for (size_t i = 0; i < std::min<size_t>(paths.size(), 5); ++i) {
    text += fmt::format("  {:<30}{:>12.2f}\n", paths[i].first.empty() ? "(no module)" : paths[i].first,
                        mib(paths[i].second.peak));
  }
  return text;
}

}  // namespace ascore
