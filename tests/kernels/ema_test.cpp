#include "kernels/ema/ema.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/flat_update.hpp"

using namespace ascore;

TEST_CASE("ema agrees with plain loops") {
  test::check_flat_update(
      0,
      [](Stream& stream, View shadow, ConstView p, const auto&, View, double, int) {
        kernels::ema(stream, shadow, p, 0.9);
      },
      []<class T>(T& shadow, T p, T*, int) { shadow = static_cast<T>(0.9) * shadow + static_cast<T>(1 - 0.9) * p; });
}

TEST_CASE("ema leaves a shadow that equals the parameters exactly where it is") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto p = test::data(device, {33});
  auto shadow = test::buffer(device, {33}, DType::f32, p.values());
  kernels::ema(stream, shadow, p, 0.9999);
  stream.synchronize();
  CHECK(shadow.values() == p.values());
}

TEST_CASE("ema refuses buffers that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto shadow = test::data(device, {4});
  CHECK_THROWS_AS(kernels::ema(stream, shadow, test::data(device, {5}), 0.9), ShapeError);
}
