#pragma once

#include "engine/data/points.hpp"

#include <span>

namespace ascore {

struct ModeCoverage {
  int modes = 0;          ///< modes with at least one point within 3 sd
  int of = 0;             ///< modes that the mixture has
  double within_3sd = 0;  ///< share of the points that lie within 3 sd of a mode (of exact samples: 0.989)
};

/// `points`: x0, y0, x1, y1, ... Points that are not finite lie within no mode.
ModeCoverage mode_coverage(std::span<const double> points, const Mixture& mixture);

}  // namespace ascore
