// The first and the last convolution of a score network see no bf16 images: noise of 0.01 on a pixel near 1 survives.
#include "engine/nn/parameters.hpp"
#include "kernels/core/hopper_device.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

using Values = std::vector<double>;

/// Output of a small network whose first convolution subtracts the second channel from the first: where both are near
/// 1, what it sees is the noise alone.
Values output(const ScoreNetworkConfig& config, const char* first, Device device, DType compute, bool hopper,
              const Values& x) {
  test::Bench bench(device, compute);
  bench.stream.attached<kernels::EmulatedHopper>().device.present = hopper;
  const auto network = make_score_network(config);
  ParameterSet parameters(bench.ctx, *network, DType::f32);
  parameters.initialise(bench.ctx, 3);
  const Parameter& weight = *parameters.find(std::string(first) + ".weight");
  Values taps = bench.ctx.to_host(weight.value);
  for (size_t i = 0; i < taps.size(); i += 2) taps[i + 1] = -taps[i];
  copy(bench.stream, weight.value.view(), bench.ctx.from_host(taps, weight.shape, DType::f32));
  fill_bytes(bench.stream, parameters.find(std::string(first) + ".bias")->value.view(), 0);
  parameters.mark_changed();
  const Shape& sample = config.sample_shape;
  const Tensor images = bench.ctx.from_host(x, {1, sample[0], sample[1], sample[2]}, DType::f32);
  const Values result = bench.ctx.to_host(network->forward(bench.ctx, images, {}));
  test::require_kernels_ran(bench.stream);
  return result;
}

Values rounded(Values values) {
  for (double& value : values) value = test::round_bf16(value);
  return values;
}

void check_noise_survives(const ScoreNetworkConfig& config, const char* first) {
  const Device device = GENERATE(from_range(test::devices()));
  const bool hopper = GENERATE(false, true);
  if (hopper && device != Device::simt) return;
  CAPTURE(config.name, name(device), hopper);
  Values x = test::normals(static_cast<size_t>(config.sample_shape.count()), 5);
  for (double& value : x) value = 1 + 0.01 * value;
  const Values exact = output(config, first, Device::cpu, DType::f32, false, x);
  const Values coarse = output(config, first, Device::cpu, DType::f32, false, rounded(x));
  const Values here = output(config, first, device, DType::bf16, hopper, x);
  CHECK(test::relative_error(coarse, exact) > 0.1);  // what images of bf16 would do
  CHECK(test::relative_error(here, exact) < 0.05);
  CHECK(here != rounded(here));  // nor is the estimate rounded
}

}  // namespace

TEST_CASE("noise of 0.01 on pixels near 1 survives an NCSNv2 in bf16", "[networks]") {
  check_noise_survives({.name = "ncsnv2", .sample_shape = {8, 4, 2}, .width = 4}, "begin_conv");
}

TEST_CASE("noise of 0.01 on pixels near 1 survives a UNet in bf16", "[networks]") {
  check_noise_survives(
      {.name = "unet", .sample_shape = {8, 4, 2}, .width = 4, .multipliers = {1, 2}, .groups = 2, .init = "original"},
      "downblocks.0");
}
