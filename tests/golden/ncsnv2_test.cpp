#include "tests/golden/score_network.hpp"

using namespace ascore;

TEST_CASE("NCSNv2 computes the original's outputs, losses, gradients and Adam steps", "[golden]") {
  const DType dtype = GENERATE(DType::f64, DType::f32);
  CAPTURE(name(dtype));
  test::GoldenScoreNetwork("ncsnv2", {.name = "ncsnv2", .sample_shape = {32, 32, 3}, .width = 8}, dtype).check_all();
}
