#pragma once

#include "engine/data/dataset.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace ascore {

/// A mixture of round Gaussians of equal weight in the plane, in the coordinates that the data come in (scaled).
struct Mixture {
  std::vector<std::array<double, 2>> centres;
  double spread = 0;  ///< standard deviation of each coordinate
};

/// The mixture behind gaussians8 (radius 2, sd 0.02, over 1.414) or gaussians25 (5x5 at distance 2, sd 0.05, over
/// 2.828); nothing for other names. A sample's label is the index of its centre.
std::optional<Mixture> mixture_of(std::string_view data_name);

/// swissroll, gaussians8, gaussians25: 50,000 train and 10,000 test points, each a pure function of seed and index.
/// Swiss roll: t = 1.5 pi (1 + 2u), ((t cos t, t sin t) + 0.25 z) / 7.5.
std::unique_ptr<Dataset> open_points(const DataConfig& config, const Preparation& preparation, uint64_t seed);

}  // namespace ascore
