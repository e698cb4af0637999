#pragma once

#include "engine/autograd/operations.hpp"
#include "samplers/score.hpp"
#include "tests/support/devices.hpp"

#include <vector>

namespace ascore::test {

/// Levels of constant ratio, worked out here, not by the code under test.
std::vector<double> geometric(double begin, double end, int count);

/// The exact score of data that are one point: (value - x) / sigma^2.
ScoreFn point_mass_score(double value);

/// value + sigma z, f32, with noise of the test's own.
Tensor noisy_point(Ctx& ctx, const Shape& shape, double value, double sigma);

/// Root mean square, and largest, distance of the elements from `value`.
double rms(const Ctx& ctx, const Tensor& x, double value);
double max_distance(const Ctx& ctx, const Tensor& x, double value);

}  // namespace ascore::test
