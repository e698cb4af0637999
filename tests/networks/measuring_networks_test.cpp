// Networks on GPUs ask convolutions to measure what normalisations follow: these then do not read the images for it.
#include "engine/nn/parameters.hpp"
#include "kernels/core/op_observer.hpp"
#include "kernels/core/op_scope.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <string_view>

using namespace ascore;

namespace {

/// Counts who finds the moments of channels: from run moments, or by reading the images.
class Counter final : public OpObserver {
 public:
  void begin(Stream& stream, const char* op) override {
    const std::string_view name = op;
    if (name == "merged_moments") ++measured;
    if (name == "channel_moments") ++read;
    if (name == "instance_norm_plus") ++(stream.current_op()->arguments().back().view.present() ? measured : read);
  }
  void end(Stream&) override {}

  int measured = 0, read = 0;
};

template <class Make>
Counter forward(Device device, const Shape& input, Make make) {
  test::Bench bench(device);
  const auto net = make();
  ParameterSet parameters(bench.ctx, *net, DType::f32);
  parameters.initialise(bench.ctx, 3);
  Ctx ctx = bench.ctx;
  ctx.training = true;
  const Tensor x = bench.normal(input, DType::f32, 5);
  Counter counter;
  bench.stream.attached<ObservedBy>().observer = &counter;
  if constexpr (requires { net->forward(ctx, x, Tensor()); }) {
    net->forward(ctx, x, {});
  } else {
    net->forward(ctx, x);
  }
  bench.stream.attached<ObservedBy>().observer = nullptr;
  return counter;
}

}  // namespace

TEST_CASE("NCSNv2 has convolutions measure inside its blocks and before its last norm", "[networks]") {
  const Device device = GENERATE(from_range(test::devices()));
  const Counter found = forward(device, {2, 16, 8, 1}, [] {
    return make_score_network({.name = "ncsnv2", .sample_shape = {16, 8, 1}, .width = 4});
  });
  const int norms = 4 * 2 * 2 + 1;  // stages of two blocks with two norms each, and the last
  CHECK(found.measured + found.read == norms);
  CHECK(found.measured == (device == Device::cpu ? 0 : 4 * 2 + 1));
}

TEST_CASE("the UNet has the first convolution of each block measure for the norm behind it", "[networks]") {
  const Device device = GENERATE(from_range(test::devices()));
  const Counter found = forward(device, {2, 4, 8, 1}, [] {
    return make_score_network(
        {.name = "unet", .sample_shape = {4, 8, 1}, .width = 4, .multipliers = {1, 2}, .groups = 2});
  });
  const int blocks = 2 * 2 + 2 + 2 * 3;
  CHECK(found.measured == (device == Device::cpu ? 0 : blocks));
}

TEST_CASE("the DCGAN critic has its convolutions measure for batch norm", "[networks]") {
  const Device device = GENERATE(from_range(test::devices()));
  const Counter found = forward(device, {2, 16, 32, 1}, [] {
    return make_critic({.name = "dcgan", .sample_shape = {16, 32, 1}, .width = 2, .norm = "batch_norm"});
  });
  CHECK(found.measured + found.read == 6);  // all but the last convolution
  CHECK((device == Device::cpu ? found.measured : found.read) == 0);
}
