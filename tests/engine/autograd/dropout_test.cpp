#include "engine/autograd/dropout.hpp"

#include "engine/nn/dropout.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

namespace {
Ctx training(const Ctx& ctx) {
  Ctx result = ctx;
  result.training = true;
  result.random = {.seed = 3, .stream = 12, .first_sample = 0, .step = 8};
  return result;
}
}  // namespace

TEST_CASE("the gradient of dropout_channels agrees with central differences") {
  const Shape x{3, 2, 4, 7};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        Ctx mode = training(ctx);
        return dropout_channels(mode, in[0], 0.4, 2);
      },
      {x}, {test::normals(168, 1)});
}

TEST_CASE("dropout is the identity outside training, and does not train without random numbers") {
  test::Bench bench(Device::cpu);
  const ChannelDropout layer(0.5, 1);
  const Tensor x = bench.normal({2, 3, 4, 8}, DType::f32, 1);
  CHECK(layer.forward(bench.ctx, x).id() == x.id());
  Ctx drawing = training(bench.ctx);
  CHECK(bench.ctx.to_host(layer.forward(drawing, x)) != bench.ctx.to_host(x));
  Ctx forgotten = drawing;
  forgotten.random = {};
  CHECK_THROWS_AS(layer.forward(forgotten, x), Error);
  CHECK_THROWS_AS(ChannelDropout(1.0, 1), ConfigError);
}
