#include "engine/nn/parameters.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
/// What one forward and backward of a small network computes somewhere.
struct Numbers {
  std::vector<double> output, parameter_gradients, input_gradient;
};

/// Runs sum(w out) forward and backward with fixed parameters, input and weights w, parameters and input of `dtype`.
template <class Make>
Numbers compute(Device device, DType dtype, DType activations, const Shape& input, Make make) {
  test::Bench bench(device, activations);
  const auto net = make();
  ParameterSet parameters(bench.ctx, *net, dtype);
  parameters.initialise(bench.ctx, 3);
  const Tensor gradients = parameters.allocate_like(bench.ctx, MemoryKind::gradients);
  const Tensor x = bench.ctx.from_host(test::normals(static_cast<size_t>(input.count()), 5), input, dtype);
  Numbers result;
  {
    Tape tape;
    Ctx ctx = bench.ctx;
    ctx.tape = &tape;
    ctx.training = true;
    parameters.watch(tape, gradients);
    tape.watch(x);
    Tensor out;
    if constexpr (requires { net->forward(ctx, x, Tensor()); }) {
      out = net->forward(ctx, x, {});
    } else {
      out = net->forward(ctx, x);
    }
    tape.backward(ctx, out, ctx.from_host(test::normals(static_cast<size_t>(out.count()), 9), out.shape(), dtype));
    result = {ctx.to_host(out), ctx.to_host(gradients), ctx.to_host(tape.gradient(x))};
  }
  // Parameters, gradients and the input are left; everything that the tape held is free again.
  const MemoryLedger& ledger = bench.allocator->ledger();
  CHECK(ledger.of(MemoryKind::workspace).live == 0);
  CHECK(ledger.of(MemoryKind::activations).live <= x.bytes() + 512);
  CHECK(ledger.of(MemoryKind::gradients).live <= gradients.bytes() + 512);
  CHECK(ledger.of(MemoryKind::activations).peak > 4 * x.bytes());
  test::require_kernels_ran(bench.stream);
  return result;
}

/// Each device in f32, and in bf16 inside, may be twice as far from f64 as the cpu is.
template <class Make>
void check_device_agrees_with_cpu(const Shape& input, Make make) {
  const Device device = GENERATE(from_range(test::devices()));
  const DType activations = GENERATE(DType::f32, DType::bf16);
  CAPTURE(name(device), name(activations));
  const Numbers reference = compute(Device::cpu, DType::f64, DType::f64, input, make);
  const Numbers twin = compute(Device::cpu, DType::f32, activations, input, make);
  const Numbers here = compute(device, DType::f32, activations, input, make);
  const double floor = 1e-6;
  CHECK_THAT(here.output, test::at_most_twice_the_error_of(twin.output, reference.output, floor));
  CHECK_THAT(here.parameter_gradients,
             test::at_most_twice_the_error_of(twin.parameter_gradients, reference.parameter_gradients, floor));
  CHECK_THAT(here.input_gradient,
             test::at_most_twice_the_error_of(twin.input_gradient, reference.input_gradient, floor));
  const double rough = activations == DType::f32 ? 1e-4 : 0.2;
  CHECK(test::relative_error(here.output, reference.output) < rough);
  CHECK(test::relative_error(here.parameter_gradients, reference.parameter_gradients) < rough);
}
}  // namespace

TEST_CASE("a small NCSNv2 computes the same on every device", "[networks]") {
  check_device_agrees_with_cpu({2, 8, 8, 1}, [] {
    return make_score_network({.name = "ncsnv2", .sample_shape = {8, 8, 1}, .width = 4});
  });
}

TEST_CASE("a small UNet computes the same on every device", "[networks]") {
  check_device_agrees_with_cpu({2, 4, 8, 1}, [] {
    return make_score_network({.name = "unet",
                               .sample_shape = {4, 8, 1},
                               .width = 4,
                               .multipliers = {1, 2},
                               .groups = 2,
                               .init = "original"});  // lets every path through
  });
}

TEST_CASE("a small BigGAN discriminator computes the same on every device", "[networks]") {
  check_device_agrees_with_cpu({2, 8, 8, 1}, [] {
    return make_critic({.name = "biggan", .sample_shape = {8, 8, 1}, .width = 1});
  });
}

TEST_CASE("a small BigGAN discriminator with attention computes the same on every device", "[networks]") {
  check_device_agrees_with_cpu({1, 16, 8, 1}, [] {
    return make_critic({.name = "biggan", .sample_shape = {16, 8, 1}, .width = 2, .attention = 16});
  });
}

TEST_CASE("a small DCGAN discriminator computes the same on every device", "[networks]") {
  check_device_agrees_with_cpu({3, 8, 16, 1}, [] {
    return make_critic({.name = "dcgan", .sample_shape = {8, 16, 1}, .width = 2});
  });
}

TEST_CASE("a small MLP computes the same on every device", "[networks]") {
  check_device_agrees_with_cpu({3, 2},
                               [] { return make_score_network({.name = "mlp", .sample_shape = {2}, .width = 16}); });
}

TEST_CASE("inference keeps nothing but its output, and the ledger knows who asked for what", "[networks]") {
  const Device device = GENERATE(from_range(test::devices()));
  CAPTURE(name(device));
  test::Bench bench(device);
  const auto net = make_score_network({.name = "ncsnv2", .sample_shape = {8, 8, 1}, .width = 4});
  ParameterSet parameters(bench.ctx, *net, DType::f32);
  parameters.initialise(bench.ctx, 3);
  const MemoryLedger& ledger = bench.allocator->ledger();
  const size_t values = ledger.of(MemoryKind::parameters).live;
  CHECK(values >= static_cast<size_t>(parameters.count()) * sizeof(float));
  const Tensor x = bench.normal({2, 8, 8, 1}, DType::f32, 5);
  const Tensor out = net->forward(bench.ctx, x, {});
  CHECK(ledger.of(MemoryKind::parameters).live == values);
  CHECK(ledger.of(MemoryKind::activations).live <= out.bytes() + x.bytes() + 1024);
  CHECK(ledger.of(MemoryKind::workspace).live == 0);
  const auto& paths = ledger.by_path();
  for (const char* path : {"begin_conv", "res1.0.conv1", "res2.0.shortcut", "refine4.crp", "refine4.msf.convs.1"}) {
    CAPTURE(path);
    REQUIRE(paths.contains(path));
    CHECK(paths.at(path).live == 0);
    CHECK(paths.at(path).peak > 0);
  }
  CHECK(paths.at("end_conv").live == out.bytes());
}
