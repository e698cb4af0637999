#include "engine/autograd/operations.hpp"
#include "engine/nn/pytorch_layout.hpp"
#include "engine/optim/optimizer.hpp"
#include "models/registry.hpp"
#include "tests/golden/agreement.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;
using test::check_agrees;
using test::Quantity;

namespace {
constexpr double kLearningRate = 1e-3;

/// The critic of the golden file with its batch, on the cpu in one dtype.
struct Setup {
  test::GoldenFile golden;
  DType dtype;
  test::Bench bench;
  std::unique_ptr<Critic> net;
  std::unique_ptr<ParameterSet> parameters;
  Tensor real, fake;  // fake is not yet clamped

  Setup(const char* file, int64_t attention, DType d) : golden(file), dtype(d), bench(Device::cpu, d) {
    net = make_critic({.name = "biggan", .sample_shape = {32, 32, 3}, .width = 4, .attention = attention});
    parameters = std::make_unique<ParameterSet>(bench.ctx, *net, dtype);
    reset();
    real = load("real");
    fake = load("fake");
  }

  /// Parameters and buffers as the file starts.
  void reset() {
    StateDict state;
    for (const std::string& name : golden.names("dparam.")) state.emplace(name, golden.tensor(name));
    check_names(*parameters, state, "dparam.");
    from_state_dict(bench.ctx, *parameters, parameters->flat(), state, "dparam.");
    buffers_from_state_dict(bench.ctx, *parameters, state, "dparam.");
  }
  Tensor load(const std::string& name) {
    const HostTensor x = golden.channels_last(name);
    return bench.ctx.from_host(x.to_doubles(), x.shape, dtype);
  }
  double allowed(const std::string& name, Quantity quantity) {
    return test::tolerance(dtype, golden.tensor(name).dtype, quantity);
  }
  void check(const std::string& name, const Tensor& value, Quantity quantity) {
    check_agrees(name, bench.ctx.to_host(value), golden.values_channels_last(name), allowed(name, quantity));
  }
  void check_buffers(const std::string& prefix) {
    for (const auto& [name, value] : buffers_to_state_dict(bench.stream, *parameters, prefix)) {
      check_agrees(name, value.to_doubles(), golden.values(name), allowed(name, Quantity::buffer));
    }
  }
};

struct Update {
  Tensor real, fake, loss;
};

/// D(real), D(fake) and loss_D in training mode, its gradients into `gradients`. `between` runs after D(real).
template <class Between>
Update critic_update(Setup& s, const Tensor& gradients, Between between) {
  Tape tape;
  Ctx ctx = s.bench.ctx;
  ctx.tape = &tape;
  ctx.training = true;
  s.parameters->watch(tape, gradients);
  const Tensor real = s.net->forward(ctx, s.real);
  between();
  const Tensor fake = s.net->forward(ctx, clamp(ctx, s.fake, 0, 1));
  const Tensor loss = critic_loss(ctx, GanLoss::lsgan, real, fake);
  tape.backward(ctx, loss);
  return {real, fake, loss};
}
}  // namespace

TEST_CASE("BigGAN's discriminator computes the original's outputs, buffers, gradients and Adam steps", "[golden]") {
  const DType dtype = GENERATE(DType::f64, DType::f32);
  const auto [file, attention] = GENERATE(table<const char*, int64_t>({{"biggan32", 0}, {"biggan32_attn16", 16}}));
  CAPTURE(name(dtype), file);
  Setup s(file, attention, dtype);
  Ctx& ctx = s.bench.ctx;
  REQUIRE(s.golden.metadata("null_grads").empty());

  s.check("eval_real", s.net->forward(ctx, s.real), Quantity::output);
  const StateDict untouched = buffers_to_state_dict(s.bench.stream, *s.parameters, "dparam.");
  for (const auto& [name, value] : untouched) CHECK(value.to_doubles() == s.golden.values(name));

  const Tensor gradients = s.parameters->allocate_like(ctx, MemoryKind::gradients);
  const Update update = critic_update(s, gradients, [&] { s.check_buffers("dbuf_a."); });
  s.check("d_real", update.real, Quantity::output);
  s.check("d_fake", update.fake, Quantity::output);
  s.check("loss_D", update.loss, Quantity::loss);
  s.check_buffers("dbuf_b.");
  const StateDict first = to_state_dict(s.bench.stream, *s.parameters, gradients);
  for (const auto& [name, value] : first) {
    const std::string key = "dgrad." + name;
    check_agrees(key, value.to_doubles(), s.golden.values(key), s.allowed(key, Quantity::gradient));
  }

  s.reset();
  const auto adam = make_optimizer({.name = "adam", .lr = kLearningRate, .beta1 = -0.5, .beta2 = 0.9, .eps = 1e-8}, ctx,
                                   s.parameters->flat());
  std::vector<double> losses;
  for (int step = 1; step <= 3; ++step) {
    losses.push_back(ctx.to_host(critic_update(s, gradients, [] {}).loss)[0]);
    adam->step(ctx, s.parameters->flat(), gradients);
    s.parameters->mark_changed();
    if (step == 2) continue;
    const std::string prefix = step == 1 ? "dadam1." : "dadam3.";
    for (const auto& [name, value] : to_state_dict(s.bench.stream, *s.parameters, s.parameters->flat())) {
      test::check_adam(prefix + name, value.to_doubles(), s.golden.values(prefix + name), first.at(name).to_doubles(),
                       kLearningRate, step, dtype);
    }
  }
  check_agrees("loss_D_steps", losses, s.golden.values("loss_D_steps"), s.allowed("loss_D_steps", Quantity::loss));
  s.check_buffers("dbuf_c.");

  s.reset();
  Tape tape;
  Ctx training = ctx;
  training.tape = &tape;
  training.training = true;
  tape.watch(s.fake);
  const Tensor real = s.net->forward(training, s.real);
  const Tensor fake = s.net->forward(training, clamp(training, s.fake, 0, 1));
  const Tensor loss = generator_loss(training, GanLoss::lsgan, real, fake);
  tape.backward(training, loss);
  s.check("loss_G", loss, Quantity::loss);
  s.check("grad_fake", tape.gradient(s.fake), Quantity::gradient);
  s.golden.check_all_used();
}
