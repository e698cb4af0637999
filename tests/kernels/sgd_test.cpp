#include "kernels/sgd/sgd.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/flat_update.hpp"

using namespace ascore;

TEST_CASE("sgd agrees with plain loops, the first step going along the gradient itself") {
  const double momentum = GENERATE(0.0, 0.9);
  CAPTURE(momentum);
  const kernels::SgdOptions options{.momentum = momentum, .weight_decay = 0.1};
  test::check_flat_update(
      1,
      [&](Stream& stream, View p, ConstView g, const std::array<View, 3>& states, View ema, double decay, int) {
        const auto rate = test::buffer(stream.device(), Shape{1}, DType::f64, std::vector<double>{0.02});
        kernels::sgd(stream, p, g, states[0], ema, decay, rate, options);
      },
      [&]<class T>(T& p, T g, T* state, int t) {
        g += static_cast<T>(0.1) * p;
        state[0] = t == 1 ? g : static_cast<T>(momentum) * state[0] + g;
        p -= static_cast<T>(0.02) * state[0];
      });
}

TEST_CASE("sgd refuses buffers that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto p = test::data(device, {4}), g = test::data(device, {4});
  auto rate = test::data(device, {1}, DType::f64);
  CHECK_THROWS_AS(kernels::sgd(stream, p, g, test::data(device, {5}), {}, 0, rate, {}), ShapeError);
}
