#pragma once

#include "engine/data/points.hpp"

#include <span>

namespace ascore {

/// The standard deviation v of the noise that points carry, if they are draws of the mixture with noise N(0, v^2)
/// added: the v under which they are likeliest, found to 1e-4 relative. `points`: x0, y0, x1, y1, ... Of N points its
/// own standard error is about (v^2 + spread^2) / (2 v sqrt(N)), so noise far below the mixture's spread cannot be
/// seen. Not a number without points, or if one is not finite. Cost: some 70 N K exponentials of K modes.
double likeliest_noise(std::span<const double> points, const Mixture& mixture);

}  // namespace ascore
