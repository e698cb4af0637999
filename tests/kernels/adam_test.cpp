#include "kernels/adam/adam.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/flat_update.hpp"

using namespace ascore;

TEST_CASE("adam agrees with plain loops, for any beta1, with and without amsgrad") {
  const double beta1 = GENERATE(0.9, 0.0, -0.5);
  const bool amsgrad = GENERATE(false, true);
  CAPTURE(beta1, amsgrad);
  constexpr double kRate = 0.01;
  const kernels::AdamOptions options{.beta1 = beta1, .beta2 = 0.8, .eps = 1e-3, .weight_decay = 0.1};
  test::check_flat_update(
      amsgrad ? 3 : 2,
      [&](Stream& stream, View p, ConstView g, const std::array<View, 3>& states, View ema, double decay, int t) {
        const std::vector<double> values{kRate / (1 - std::pow(beta1, t)), 1 / std::sqrt(1 - std::pow(0.8, t))};
        const auto scalars = test::buffer(stream.device(), Shape{2}, DType::f64, values);
        kernels::adam(stream, p, g, states[0], states[1], states[2], ema, decay, scalars, options);
      },
      [&]<class T>(T& p, T g, T* state, int t) {
        g += static_cast<T>(0.1) * p;
        state[0] = static_cast<T>(beta1) * state[0] + static_cast<T>(1 - beta1) * g;
        state[1] = static_cast<T>(0.8) * state[1] + static_cast<T>(1 - 0.8) * g * g;
        if (amsgrad) state[2] = std::max(state[2], state[1]);
        const T m = state[0] / static_cast<T>(1 - std::pow(beta1, t));
        const T v = state[amsgrad ? 2 : 1] / static_cast<T>(1 - std::pow(0.8, t));
        p -= static_cast<T>(kRate) * m / (std::sqrt(v) + static_cast<T>(1e-3));
      });
}

TEST_CASE("adam refuses buffers that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto p = test::data(device, {4}), g = test::data(device, {4}), m = test::data(device, {4}),
       v = test::data(device, {4});
  auto scalars = test::data(device, {2}, DType::f64);
  auto shorter = test::data(device, {3});
  auto half = test::data(device, {4}, DType::bf16);
  CHECK_THROWS_AS(kernels::adam(stream, p, g, m, shorter, {}, {}, 0, scalars, {}), ShapeError);
  CHECK_THROWS_AS(kernels::adam(stream, p, g, m, {}, {}, {}, 0, scalars, {}), ShapeError);
  CHECK_THROWS_AS(kernels::adam(stream, p, g, m, v, {}, shorter, 0, scalars, {}), ShapeError);
  CHECK_THROWS_AS(kernels::adam(stream, p, half, m, v, {}, {}, 0, scalars, {}), DTypeError);
  CHECK_THROWS_AS(kernels::adam(stream, half, half, half, half, {}, {}, 0, scalars, {}), DTypeError);
  CHECK_THROWS_AS(kernels::adam(stream, p, g, m, v, {}, {}, 0, {}, {}), ShapeError);
  CHECK_THROWS_AS(kernels::adam(stream, p, g, m, v, {}, {}, 0, test::data(device, {2}), {}), DTypeError);
}
