#include "kernels/rmsprop/rmsprop.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/flat_update.hpp"

using namespace ascore;

TEST_CASE("rmsprop agrees with plain loops") {
  const double weight_decay = GENERATE(0.0, 0.1);
  CAPTURE(weight_decay);
  const kernels::RmspropOptions options{.alpha = 0.9, .eps = 1e-3, .weight_decay = weight_decay};
  test::check_flat_update(
      1,
      [&](Stream& stream, View p, ConstView g, const std::array<View, 3>& states, View ema, double decay, int) {
        const auto rate = test::buffer(stream.device(), Shape{1}, DType::f64, std::vector<double>{0.02});
        kernels::rmsprop(stream, p, g, states[0], ema, decay, rate, options);
      },
      [&]<class T>(T& p, T g, T* state, int) {
        g += static_cast<T>(weight_decay) * p;
        state[0] = static_cast<T>(0.9) * state[0] + static_cast<T>(1 - 0.9) * g * g;
        p -= static_cast<T>(0.02) * g / (std::sqrt(state[0]) + static_cast<T>(1e-3));
      });
}

TEST_CASE("rmsprop refuses buffers that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto p = test::data(device, {4}), g = test::data(device, {4}), v = test::data(device, {4});
  auto rate = test::data(device, {1}, DType::f64);
  CHECK_THROWS_AS(kernels::rmsprop(stream, p, test::data(device, {5}), v, {}, 0, rate, {}), ShapeError);
  CHECK_THROWS_AS(kernels::rmsprop(stream, p, g, v, {}, 0, test::data(device, {2}, DType::f64), {}), ShapeError);
}
