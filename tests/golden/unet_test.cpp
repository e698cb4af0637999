#include "tests/golden/score_network.hpp"

using namespace ascore;

TEST_CASE("a UNet of four groups computes the original's Adam steps as well", "[golden]") {
  const DType dtype = GENERATE(DType::f64, DType::f32);
  CAPTURE(name(dtype));
  const ScoreNetworkConfig config{
      .name = "unet", .sample_shape = {16, 16, 3}, .width = 8, .norm = "group_norm", .groups = 4};
  test::GoldenScoreNetwork("unet_g4", config, dtype).check_all();
}
