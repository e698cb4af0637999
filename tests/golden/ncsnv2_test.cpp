#include "models/ncsnv2.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/nn/pytorch_layout.hpp"
#include "engine/optim/optimizer.hpp"
#include "engine/training/noise_levels.hpp"
#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "tests/golden/agreement.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;
using test::check_agrees;
using test::Quantity;

namespace {
constexpr double kLearningRate = 1e-3;

/// The network of the golden file with its batch, on the cpu in one dtype.
struct Setup {
  test::GoldenFile golden{"ncsnv2"};
  DType dtype;
  test::Bench bench;
  std::unique_ptr<ScoreNetwork> net;
  std::unique_ptr<ParameterSet> parameters;
  Tensor clean, noise, sigma, noisy, target;

  explicit Setup(DType d) : dtype(d), bench(Device::cpu, d) {
    net = std::make_unique<Ncsnv2>(ScoreNetworkConfig{.sample_shape = {32, 32, 3}, .width = 8});
    parameters = std::make_unique<ParameterSet>(bench.ctx, *net, dtype);
    StateDict state;
    for (const std::string& name : golden.names("param.")) state.emplace(name, golden.tensor(name));
    check_names(*parameters, state, "param.");
    from_state_dict(bench.ctx, *parameters, parameters->flat(), state, "param.");
    clean = load("input");
    noise = load("z");
    const auto sigmas = golden.values("sigmas"), labels = golden.values("labels");
    std::vector<double> levels;
    for (const double label : labels) levels.push_back(sigmas.at(static_cast<size_t>(label)));
    sigma = bench.ctx.from_host(levels, {static_cast<int64_t>(levels.size())}, dtype);
    noisy = bench.ctx.empty_like(clean);
    kernels::add_scaled_rows(bench.stream, clean, sigma, noise, noisy);
    target = scale(bench.ctx, noise, -1);
  }

  Tensor load(const std::string& name) {
    const HostTensor x = golden.channels_last(name);
    return bench.ctx.from_host(x.to_doubles(), x.shape, dtype);
  }
  double allowed(const std::string& name, Quantity quantity) {
    return test::tolerance(dtype, golden.tensor(name).dtype, quantity);
  }
  /// A result [N,H,W,C] or [N] or [] against the tensor of that name.
  void check(const std::string& name, const Tensor& value, Quantity quantity) {
    check_agrees(name, bench.ctx.to_host(value), golden.values_channels_last(name), allowed(name, quantity));
  }
};

/// Loss and, into `gradients`, its gradients at the present parameters.
Tensor loss_and_gradients(Setup& s, const Tensor& gradients) {
  Tape tape;
  Ctx ctx = s.bench.ctx;
  ctx.tape = &tape;
  ctx.training = true;
  s.parameters->watch(tape, gradients);
  const Tensor loss = dsm_loss(ctx, s.net->forward(ctx, s.noisy, s.sigma), s.target, DsmLoss::l2);
  tape.backward(ctx, loss);
  return loss;
}
}  // namespace

TEST_CASE("NCSNv2 computes the original's outputs, losses, gradients and Adam steps", "[golden]") {
  const DType dtype = GENERATE(DType::f64, DType::f32);
  CAPTURE(name(dtype));
  Setup s(dtype);
  Ctx& ctx = s.bench.ctx;
  REQUIRE(s.golden.metadata("null_grads").empty());

  const auto levels = noise_levels(10, 0.01, 20, Spacing::geometric);
  check_agrees("sigmas_f64", levels, s.golden.values("sigmas_f64"), 1e-12);
  check_agrees("sigmas", levels, s.golden.values("sigmas"), 1e-7);

  s.check("perturbed", s.noisy, Quantity::output);
  s.check("output_clean", s.net->forward(ctx, s.clean, {}), Quantity::output);

  Tape tape;
  Ctx training = ctx;
  training.tape = &tape;
  training.training = true;
  const Tensor gradients = s.parameters->allocate_like(ctx, MemoryKind::gradients);
  s.parameters->watch(tape, gradients);
  tape.watch(s.noisy);  // d noisy / d input is the identity
  const Tensor out = s.net->forward(training, s.noisy, s.sigma);
  const Tensor per_sample = ctx.empty({2}, dtype);
  const Tensor loss = dsm_loss(training, out, s.target, DsmLoss::l2, per_sample);
  tape.backward(training, loss);
  s.check("output", out, Quantity::output);
  s.check("denoised", tweedie(ctx, s.noisy, out, s.sigma), Quantity::output);
  s.check("loss_per_sample", per_sample, Quantity::loss);
  s.check("loss", loss, Quantity::loss);
  s.check("grad_input", tape.gradient(s.noisy), Quantity::gradient);

  const StateDict first = to_state_dict(s.bench.stream, *s.parameters, gradients);
  for (const auto& [name, value] : first) {
    const std::string key = "grad." + name;
    check_agrees(key, value.to_doubles(), s.golden.values(key), s.allowed(key, Quantity::gradient));
  }

  const auto adam = make_optimizer({.name = "adam", .lr = kLearningRate, .beta1 = 0, .beta2 = 0.9, .eps = 1e-8}, ctx,
                                   s.parameters->flat());
  std::vector<double> losses;
  for (int step = 1; step <= 3; ++step) {
    losses.push_back(ctx.to_host(loss_and_gradients(s, gradients))[0]);
    adam->step(ctx, s.parameters->flat(), gradients);
    s.parameters->mark_changed();
    if (step == 2) continue;
    const std::string prefix = step == 1 ? "adam1." : "adam3.";
    for (const auto& [name, value] : to_state_dict(s.bench.stream, *s.parameters, s.parameters->flat())) {
      test::check_adam(prefix + name, value.to_doubles(), s.golden.values(prefix + name), first.at(name).to_doubles(),
                       kLearningRate, step, dtype);
    }
  }
  losses.push_back(ctx.to_host(loss_and_gradients(s, gradients))[0]);
  check_agrees("adam_losses", losses, s.golden.values("adam_losses"), s.allowed("adam_losses", Quantity::loss));
  s.golden.check_all_used();
}
