#include "tests/support/point_mass.hpp"

#include <algorithm>
#include <cmath>

namespace ascore::test {

std::vector<double> geometric(double begin, double end, int count) {
  std::vector<double> levels;
  for (int i = 0; i < count; ++i) levels.push_back(begin * std::pow(end / begin, double(i) / (count - 1)));
  return levels;
}

ScoreFn point_mass_score(double value) {
  return [value](Ctx& ctx, const Tensor& x, double sigma) {
    return affine(ctx, x, -1 / (sigma * sigma), value / (sigma * sigma));
  };
}

Tensor noisy_point(Ctx& ctx, const Shape& shape, double value, double sigma) {
  std::vector<double> values = normals(static_cast<size_t>(shape.count()), 5);
  for (double& x : values) x = value + sigma * x;
  return ctx.from_host(values, shape, DType::f32);
}

double rms(const Ctx& ctx, const Tensor& x, double value) {
  double squares = 0;
  for (double element : ctx.to_host(x)) squares += (element - value) * (element - value);
  return std::sqrt(squares / static_cast<double>(x.count()));
}

double max_distance(const Ctx& ctx, const Tensor& x, double value) {
  double largest = 0;
  for (double element : ctx.to_host(x)) {
    // Written so that NaN is the largest of all.
    if (!(std::abs(element - value) <= largest)) largest = std::abs(element - value);
  }
  return largest;
}

}  // namespace ascore::test
