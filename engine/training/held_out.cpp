#include "engine/training/held_out.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace ascore {

namespace {
constexpr size_t kMostGroups = 10;
}

LossByLevel::LossByLevel(std::span<const double> levels)
    : levels_(levels.begin(), levels.end()),
      sums_(std::min(kMostGroups, levels.size())),
      counts_(std::min(kMostGroups, levels.size())) {}

size_t LossByLevel::group_of(double sigma) const {
  // Samples carry their level in f32: the level is the nearest one, whichever way it was rounded.
  const auto after = std::ranges::lower_bound(levels_, sigma, std::greater<>());
  auto index = static_cast<size_t>(after - levels_.begin());
  if (index == levels_.size() || (index > 0 && levels_[index - 1] - sigma < sigma - levels_[index])) --index;
  return index * counts_.size() / levels_.size();
}

void LossByLevel::add(std::span<const double> sigmas, std::span<const double> losses) {
  for (size_t i = 0; i < sigmas.size(); ++i) {
    const size_t group = group_of(sigmas[i]);
    sums_[group] += losses[i];
    ++counts_[group];
  }
}

HeldOutLoss LossByLevel::result() const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto mean = [](double sum, size_t count) { return count > 0 ? sum / static_cast<double>(count) : kNone; };
  HeldOutLoss loss;
  loss.mean = mean(std::accumulate(sums_.begin(), sums_.end(), 0.0),
                   std::accumulate(counts_.begin(), counts_.end(), size_t{0}));
  for (size_t group = 0; group < sums_.size(); ++group) loss.by_level.push_back(mean(sums_[group], counts_[group]));
  return loss;
}

}  // namespace ascore
