#include "engine/metrics/neighbours.hpp"

#include "engine/metrics/pairwise.hpp"
#include "engine/metrics/rows.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace ascore {

NearestNeighbours::NearestNeighbours(std::vector<double> rows, int64_t dimensions, int k)
    : rows_(std::move(rows)), dimensions_(dimensions), k_(static_cast<size_t>(std::max(k, 1))) {
  if (k < 1) throw ConfigError(fmt::format("nearest neighbours: k = {}", k));
  nearest_.resize(static_cast<size_t>(count_rows("nearest neighbours", rows_, dimensions, 1)));
}

void NearestNeighbours::add(std::span<const double> reference) {
  const int64_t count = count_rows("nearest neighbours", reference, dimensions_, 1);
  for_each_distance_block(rows_, reference, dimensions_, [&](int64_t first, std::span<const double> squares) {
    for (size_t at = 0; at < squares.size(); ++at) {
      const auto place = static_cast<int64_t>(at);
      const Neighbour found{.index = seen_ + place % count, .distance = std::sqrt(squares[at])};
      std::vector<Neighbour>& nearest = nearest_[static_cast<size_t>(first + place / count)];
      const auto behind =
          std::ranges::upper_bound(nearest, found.distance, {}, [](const Neighbour& n) { return n.distance; });
      if (nearest.size() == k_ && behind == nearest.end()) continue;
      nearest.insert(behind, found);
      if (nearest.size() > k_) nearest.pop_back();
    }
  });
  seen_ += count;
}

}  // namespace ascore
