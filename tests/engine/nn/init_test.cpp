#include "engine/nn/init.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("bounds of an initialisation follow the fans of the shape", "[engine][nn]") {
  const Init linear = Init::fan_in_uniform().resolved({7, 16});
  CHECK(linear.kind == Init::Kind::uniform);
  CHECK(linear.a == Approx(-0.25));
  CHECK(linear.b == Approx(0.25));
  CHECK(Init::fan_in_uniform().resolved({5, 3, 3, 4}).b == Approx(1 / 6.0));  // fan_in = 4 * 9
  CHECK(Init::fan_in_uniform(64).resolved({5}).b == Approx(1 / 8.0));         // a bias, told its weight's fan_in
  CHECK(Init::xavier_uniform().resolved({8, 3, 3, 4}).b == Approx(std::sqrt(6.0 / (36 + 72))));
  CHECK(Init::xavier_uniform(0.5).resolved({2, 10}).b == Approx(std::sqrt(3.0 / 12)));
  CHECK(Init::normal(1, 0.02).resolved({4}).kind == Init::Kind::normal);
  CHECK_THROWS_AS(Init::xavier_uniform().resolved({4}), ShapeError);
}
