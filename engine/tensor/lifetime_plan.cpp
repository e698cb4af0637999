#include "engine/tensor/lifetime_plan.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ascore {

namespace {

bool meet(const Lifetime& a, const Lifetime& b) {
  return a.begin < b.end && b.begin < a.end;
}

size_t most_in_use(std::span<const Lifetime> blocks) {
  std::vector<std::pair<size_t, std::pair<bool, size_t>>> events;  // when: taken?, bytes; those given back come first
  for (const Lifetime& block : blocks) {
    events.push_back({block.begin, {true, block.bytes}});
    events.push_back({block.end, {false, block.bytes}});
  }
  std::ranges::sort(events);
  size_t live = 0, most = 0;
  for (const auto& [when, event] : events) {
    live = event.first ? live + event.second : live - event.second;
    most = std::max(most, live);
  }
  return most;
}

}  // namespace

LifetimePlan plan_lifetimes(std::span<const Lifetime> blocks) {
  LifetimePlan plan{.offsets = std::vector<size_t>(blocks.size()), .bytes = 0, .peak = most_in_use(blocks)};
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<size_t> placed;  // in order of offsets
  for (const size_t block : order) {
    const size_t bytes = blocks[block].bytes;
    size_t free_from = 0, best = 0, smallest = Lifetime::kForever;
    for (const size_t other : placed) {
      if (!meet(blocks[block], blocks[other])) continue;
      const size_t begin = plan.offsets[other];
      if (begin >= free_from + bytes && begin - free_from < smallest) {
        best = free_from;
        smallest = begin - free_from;
      }
      free_from = std::max(free_from, begin + blocks[other].bytes);
    }
    plan.offsets[block] = smallest == Lifetime::kForever ? free_from : best;
    plan.bytes = std::max(plan.bytes, plan.offsets[block] + bytes);
    const auto offset_of = [&](size_t other) { return plan.offsets[other]; };
    placed.insert(std::ranges::upper_bound(placed, plan.offsets[block], {}, offset_of), block);
  }
  return plan;
}

}  // namespace ascore
