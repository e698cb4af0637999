#include "engine/autograd/measured.hpp"

#include "engine/autograd/fused_conv2d.hpp"
#include "engine/autograd/normalization.hpp"
#include "engine/nn/layers.hpp"
#include "engine/nn/normalization_layers.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

#include <functional>

using namespace ascore;

namespace {

using Norm = std::function<Tensor(Ctx&, const Measured&, const Tensor& gamma, const Tensor& beta)>;

/// Everything that can take measured images.
const std::vector<Norm>& norms() {
  static const std::vector<Norm> all{
      [](Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& beta) {
        return instance_norm_plus(ctx, x, gamma, gamma, beta, Activation::elu).value;
      },
      [](Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& beta) {
        return instance_norm_plus(ctx, x, gamma, gamma, beta, Activation::silu).value;
      },
      [](Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& beta) {
        return group_norm(ctx, x, gamma, beta, 2, 1e-6, Activation::silu);
      },
      [](Ctx& ctx, const Measured& x, const Tensor&, const Tensor&) { return instance_norm(ctx, x); },
      [](Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor&) { return variance_norm(ctx, x, gamma); },
      [](Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& beta) {
        Ctx training = ctx;
        training.training = true;
        const DType wide = gamma.dtype();
        RunningStatistics running{ctx.zeros({4}, wide), ctx.zeros({4}, wide), ctx.zeros({}, wide)};
        return batch_norm(training, x, gamma, beta, running);
      }};
  return all;
}

/// x [N,H,W,C], weight, bias, gamma, beta.
const std::vector<Shape> kShapes{Shape{2, 4, 6, 3}, Shape{4, 3, 3, 3}, Shape{4}, Shape{4}, Shape{4}};

std::vector<std::vector<double>> values() {
  std::vector<std::vector<double>> all;
  for (const Shape& shape : kShapes) all.push_back(test::normals(static_cast<size_t>(shape.count()), all.size() + 1));
  return all;
}

Activated convolved(Ctx& ctx, const std::vector<Tensor>& in, bool measure) {
  return fused_conv2d(ctx, in[0], in[1], in[2], {},
                      {.activation = Activation::elu, .keep_raw = true, .measure = measure});
}

}  // namespace

TEST_CASE("gradients through normalisations of measured convolutions agree with central differences") {
  const auto at = GENERATE(range(size_t{0}, size_t{6}));
  CAPTURE(at);
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        const Activated conv = convolved(ctx, in, true);
        REQUIRE(conv.runs);
        return add(ctx, norms()[at](ctx, Measured::raw(conv), in[3], in[4]), conv.value);
      },
      kShapes, values());
}

TEST_CASE("a measured convolution is normalised as one that is read, on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto compute = GENERATE(DType::f32, DType::bf16);
  const auto at = GENERATE(range(size_t{0}, size_t{6}));
  CAPTURE(name(device), name(compute), at);
  test::Bench bench(device);
  std::vector<Tensor> in;
  for (size_t i = 0; i < kShapes.size(); ++i) {
    const Tensor wide = bench.normal(kShapes[i], DType::f32, i + 1);
    in.push_back(i == 0 ? to_dtype(bench.ctx, wide, compute) : wide);
  }
  const auto normalized = [&](bool measure) {
    const Activated conv = convolved(bench.ctx, in, measure);
    CHECK(static_cast<bool>(conv.runs) == measure);
    const Tensor y = norms()[at](bench.ctx, Measured::raw(conv), in[3], in[4]);
    return bench.ctx.to_host(to_dtype(bench.ctx, y, DType::f32));
  };
  // Statistics are f32 either way, and of the same rounded values; bf16 may then round a few results the other way.
  CHECK(test::relative_error(normalized(true), normalized(false)) < (compute == DType::bf16 ? 1e-3 : 1e-6));
}

TEST_CASE("images without runs of pixels are not measured") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({1, 5, 3, 3}, DType::f32, 1), weight = bench.normal(kShapes[1], DType::f32, 2);
  CHECK_FALSE(fused_conv2d(bench.ctx, x, weight, {}, {}, {.measure = true}).runs);
}

TEST_CASE("layers ask for measured images where they gain by them") {
  const auto device = GENERATE(from_range(test::devices()));
  test::Bench bench(device);
  Ctx training = bench.ctx;
  training.training = true;
  const bool gains = device != Device::cpu;
  CHECK(GroupNorm(4, 2, 1e-6).measures(bench.ctx) == gains);
  CHECK(InstanceNorm().measures(bench.ctx) == gains);
  CHECK(BatchNorm(4).measures(training) == gains);
  CHECK_FALSE(BatchNorm(4).measures(bench.ctx));
}
