// Needs unet.safetensors, which is too large for the repository: listed where ASCORE_GOLDEN names a folder that has it.
#include "tests/golden/score_network.hpp"

using namespace ascore;

TEST_CASE("the UNet computes the original's outputs, losses and gradients", "[golden]") {
  const DType dtype = GENERATE(DType::f64, DType::f32);
  CAPTURE(name(dtype));
  const ScoreNetworkConfig config{
      .name = "unet", .sample_shape = {32, 32, 3}, .width = 32, .norm = "group_norm", .groups = 32};
  test::GoldenScoreNetwork("unet", config, dtype).check_all();
}
