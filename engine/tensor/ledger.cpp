#include "engine/tensor/ledger.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace ascore {

const char* name(MemoryKind kind) {
  constexpr const char* names[] = {"parameters", "gradients", "optimizer", "ema", "activations", "workspace", "data"};
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
std::string shown(const std::string& path) {
  return path.empty() ? "(no module)" : path;
}
/// The largest entries of a map first.
std::vector<std::pair<std::string, MemoryLedger::Usage>> sorted(
    const std::map<std::string, MemoryLedger::Usage>& usages, size_t MemoryLedger::Usage::*by) {
  std::vector<std::pair<std::string, MemoryLedger::Usage>> result(usages.begin(), usages.end());
  std::stable_sort(result.begin(), result.end(),
                   [by](const auto& a, const auto& b) { return a.second.*by > b.second.*by; });
  return result;
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
  const auto paths = sorted(by_path_, &Usage::peak);
  for (size_t i = 0; i < std::min<size_t>(paths.size(), 5); ++i) {
    text += fmt::format("  {:<30}{:>12.2f}\n", shown(paths[i].first), mib(paths[i].second.peak));
  }
  return text;
}

/// "activations 700.1, parameters 112.2; most by res2.0 (300.0), res1.0 (120.0), (no module) (80.0)"
std::string MemoryLedger::largest(size_t Usage::*count) const {
  std::map<std::string, Usage> kinds;
  for (int k = 0; k < kMemoryKinds; ++k) kinds[name(static_cast<MemoryKind>(k))] = by_kind_[static_cast<size_t>(k)];
  std::vector<std::string> by_kind, by_module;
  for (const auto& [kind, usage] : sorted(kinds, count)) {
    if (usage.*count > 0) by_kind.push_back(fmt::format("{} {:.1f}", kind, mib(usage.*count)));
  }
  for (const auto& [path, usage] : sorted(by_path_, count)) {
    if (usage.*count == 0 || by_module.size() == 3) break;
    by_module.push_back(fmt::format("{} ({:.1f})", shown(path), mib(usage.*count)));
  }
  return fmt::format("{}; most by {}", fmt::join(by_kind, ", "), fmt::join(by_module, ", "));
}

std::string MemoryLedger::summary() const {
  if (total_.live == 0) return "nothing in use yet";
  return fmt::format("{:.1f} MiB in use: {}", mib(total_.live), largest(&Usage::live));
}

std::string MemoryLedger::peak_summary() const {
  if (total_.peak == 0) return "nothing was in use yet";
  return fmt::format("at most {:.1f} MiB were in use: {}", mib(total_.peak), largest(&Usage::peak));
}

}  // namespace ascore
