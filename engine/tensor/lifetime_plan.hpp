#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace ascore {

/// A block of memory of a step: in use from one event of the step until another.
struct Lifetime {
  static constexpr size_t kForever = std::numeric_limits<size_t>::max();
  size_t bytes = 0, begin = 0, end = kForever;
};

/// Where blocks lie in one arena, so that those in use at the same time do not overlap.
struct LifetimePlan {
  std::vector<size_t> offsets = {};  ///< of every block
  size_t bytes = 0;                  ///< of the arena
  size_t peak = 0;                   ///< most bytes in use at once, which no plan can do without
};

/// Places the largest blocks first, each into the smallest gap between those that live while it does (Pisarchyk & Lee
/// 2020, arXiv:2001.03288, "greedy by size"). Sizes are multiples of the alignment that offsets shall have.
LifetimePlan plan_lifetimes(std::span<const Lifetime> blocks);

}  // namespace ascore
