#include "engine/autograd/operations.hpp"
#include "engine/nn/parameters.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/langevin/langevin.hpp"
#include "models/ncsnv2.hpp"
#include "samplers/annealed_langevin.hpp"
#include "samplers/consistent.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/golden.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ascore;

namespace {

constexpr double kExact = 1e-9,
                 kRounded = 1e-7;  // of a double implementation, to F64 and to F32 tensors
const Shape kBatch{2, 16, 16, 3};

/// One of the file's runs, and what our sampler did beside it.
class Run {
 public:
  Run(test::GoldenFile& golden, const std::string& name) : golden_(golden), name_(name) {
    const auto spec = nlohmann::json::parse(golden.metadata("spec")).at("runs").at(name);
    algorithm_ = spec.at("algo");
    noise_first_ = spec.value("noise_first", false);
    n_sigma_ = spec.at("nsigma");
    step_ = spec.at("step_lr");
    sigmas_ = golden.values(name + ".sigmas");
    noise_ = golden.values_channels_last(name + ".noise");
  }

  /// Samples with the recorded noise; `network` gives s(x) for the call of that
  /// number.
  void sample(Ctx& ctx, const std::function<Tensor(Ctx&, const Tensor&, size_t call)>& network) {
    const ScoreFn score = [&](Ctx& c, const Tensor& x, double sigma) {
      const Tensor s = network(c, x, inputs_.size() / width());
      const auto in = c.to_host(x), out = c.to_host(s);
      append(inputs_, in);
      append(outputs_, out);
      for (size_t i = 0; i < in.size(); ++i) denoised_.push_back(in[i] + sigma * out[i]);
      return scale(c, s, 1 / sigma);
    };
    // The score's part and the noise one after the other, to see the state
    // between them.
    const NoiseSource recorded(
        [&](Ctx& c, const Tensor& x, const Tensor& d, const Tensor& coefficients, uint32_t draw) {
          kernels::langevin_step_given(c.stream, x.view(), d, coefficients, {});
          if (d) append(updated_, c.to_host(x));
          if (c.to_host(coefficients)[1] == 0) return;
          const auto begin = noise_.begin() + static_cast<std::ptrdiff_t>(draw * width());
          REQUIRE(noise_.end() - begin >= static_cast<std::ptrdiff_t>(width()));
          const Tensor z = c.from_host({begin, begin + static_cast<std::ptrdiff_t>(width())}, kBatch, DType::f64);
          kernels::langevin_step_given(c.stream, x.view(), {}, coefficients, z);
          ++draws_;
        });
    const Tensor x = ctx.from_host(golden_.values_channels_last("init"), kBatch, DType::f64);
    const double last = sigmas_.back();
    const Samples samples = algorithm_ == "cas"
                                ? consistent_annealed(ctx, score, sigmas_, step_ / (last * last), x, recorded)
                                : annealed_langevin(ctx, score, sigmas_, n_sigma_, step_, noise_first_, x, recorded);
    compare(ctx.to_host(samples.plain), "final", kExact);
    compare(ctx.to_host(samples.denoised), "denoised", kExact);
    compare(inputs_, "net_in", kRounded);
    compare(outputs_, "net_out", kRounded);
    compare(updated_, "after_update", kRounded);
    compare(denoised_, "denoised_all", kRounded);
    CHECK(draws_ * width() == noise_.size());
  }

  /// What the original's network answered to call `call`.
  Tensor recorded_output(Ctx& ctx, size_t call) {
    const auto all = golden_.values_channels_last(name_ + ".net_out");
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(call * width());
    return ctx.from_host({begin, begin + static_cast<std::ptrdiff_t>(width())}, kBatch, DType::f64);
  }

  /// The recorded answers are rounded to F32: states computed from them carry
  /// that.
  double tolerance_floor = 0;

 private:
  static size_t width() { return static_cast<size_t>(kBatch.count()); }
  static void append(std::vector<double>& to, const std::vector<double>& values) {
    to.insert(to.end(), values.begin(), values.end());
  }
  /// Call by call, relative to the largest value of the call.
  void compare(const std::vector<double>& values, const std::string& tensor, double tolerance) {
    const auto reference = golden_.values_channels_last(name_ + "." + tensor);
    REQUIRE(values.size() == reference.size());
    for (size_t begin = 0; begin < values.size(); begin += width()) {
      CAPTURE(name_, tensor, begin / width());
      CHECK(test::max_relative_error(std::span(values).subspan(begin, width()),
                                     std::span(reference).subspan(begin, width())) <
            std::max(tolerance, tolerance_floor));
    }
  }

  test::GoldenFile& golden_;
  std::string name_, algorithm_;
  bool noise_first_ = false;
  int n_sigma_ = 1;
  double step_ = 0;
  std::vector<double> sigmas_, noise_, inputs_, outputs_, updated_, denoised_;
  size_t draws_ = 0;
};

/// Parameters by their original names, convolutions from OIHW.
void load(Ctx& ctx, test::GoldenFile& golden, ParameterSet& parameters) {
  size_t found = 0;
  for (Parameter* parameter : parameters.parameters()) {
    const HostTensor value = parameter->layout == ParameterLayout::conv
                                 ? golden.channels_last("param." + parameter->name)
                                 : golden.tensor("param." + parameter->name);
    REQUIRE(value.shape == parameter->shape);
    copy(ctx.stream, parameter->value.view(), ctx.from_host(value.to_doubles(), value.shape, DType::f64));
    ++found;
  }
  CHECK(found == golden.names("param.").size());
  parameters.mark_changed();
}

}  // namespace

TEST_CASE(
    "the samplers, given the original network's answers and noise, take "
    "the original's steps") {
  test::Bench bench(Device::cpu, DType::f64);
  test::GoldenFile golden("samplers_n1");
  const std::string name = GENERATE("als_first", "als_last", "cas");
  Run run(golden, name);
  run.tolerance_floor = kRounded;
  run.sample(bench.ctx, [&](Ctx& ctx, const Tensor&, size_t call) { return run.recorded_output(ctx, call); });
}

TEST_CASE(
    "NCSNv2 sampled with the original's noise gives the original's "
    "samples, every tensor") {
  test::Bench bench(Device::cpu, DType::f64);
  test::GoldenFile golden("samplers_n1");
  ScoreNetworkConfig config;
  config.sample_shape = {16, 16, 3};
  config.width = 8;
  Ncsnv2 network(config);
  ParameterSet parameters(bench.ctx, network, DType::f64);
  load(bench.ctx, golden, parameters);
  for (const std::string name : {"als_first", "als_last", "cas"}) {
    Run run(golden, name);
    run.sample(bench.ctx, [&](Ctx& ctx, const Tensor& x, size_t) { return network.forward(ctx, x, {}); });
  }
  golden.check_all_used();
}
