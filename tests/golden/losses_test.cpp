#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/golden.hpp"

#include <map>

using namespace ascore;

namespace {

double tolerance(DType dtype) {
  return dtype == DType::f64 ? 1e-12 : 1e-5;
}

const std::map<std::string, GanLoss> kNames{{"GAN", GanLoss::gan},
                                            {"WGAN", GanLoss::wgan},
                                            {"HingeGAN", GanLoss::hinge},
                                            {"RpGAN", GanLoss::rpgan},
                                            {"RaGAN", GanLoss::ragan},
                                            {"LSGAN", GanLoss::lsgan},
                                            {"LSGAN_sat", GanLoss::lsgan_sat},
                                            {"RpLSGAN", GanLoss::rplsgan},
                                            {"RaLSGAN", GanLoss::ralsgan},
                                            {"RaHingeGAN", GanLoss::rahinge}};

/// One player's loss at the outputs of set `a` or `b`, and its gradients.
void check_gan_loss(test::GoldenFile& golden, const std::string& set, const std::string& type, bool critic,
                    DType dtype) {
  const std::string prefix = set + "." + type + (critic ? ".D" : ".G");
  INFO(prefix);
  test::Bench bench(Device::cpu, dtype);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor real = ctx.from_host(golden.values(set + ".real"), {8}, dtype);
  const Tensor fake = ctx.from_host(golden.values(set + ".fake"), {8}, dtype);
  tape.watch(real);
  tape.watch(fake);
  const auto loss_of = critic ? critic_loss : generator_loss;
  const Tensor loss = loss_of(ctx, kNames.at(type), real, fake);
  CHECK(test::max_relative_error(ctx.to_host(loss), golden.values(prefix)) <= tolerance(dtype));
  tape.backward(ctx, loss);
  const auto agrees = [&](const Tensor& x, const std::string& name) {
    INFO(name);
    CHECK(test::max_relative_error(ctx.to_host(tape.gradient(x)), golden.values(name)) <= tolerance(dtype));
  };
  agrees(real, prefix + ".grad_real");
  agrees(fake, prefix + ".grad_fake");
}

void check_dsm_loss(test::GoldenFile& golden, const std::string& kind, DType dtype) {
  const std::string prefix = "dsm." + kind;
  INFO(prefix);
  test::Bench bench(Device::cpu, dtype);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Shape shape{2, 3, 8, 8};  // a sum over the sample: any layout serves
  const Tensor s = ctx.from_host(golden.values("dsm.scores"), shape, dtype);
  const Tensor target = ctx.from_host(golden.values("dsm.target"), shape, dtype);
  tape.watch(s);
  Tensor per_sample = ctx.empty({2}, dtype);
  const Tensor mean = dsm_loss(ctx, s, target, kind == "l2" ? DsmLoss::l2 : DsmLoss::l1, per_sample);
  CHECK(test::max_relative_error(ctx.to_host(mean), golden.values(prefix + ".mean")) <= tolerance(dtype));
  CHECK(test::max_relative_error(ctx.to_host(per_sample), golden.values(prefix + ".per_sample")) <= tolerance(dtype));
  tape.backward(ctx, mean);
  CHECK(test::max_relative_error(ctx.to_host(tape.gradient(s)), golden.values(prefix + ".grad")) <= tolerance(dtype));
}

}  // namespace

TEST_CASE("all losses and their gradients agree with the original implementation") {
  const auto dtype = GENERATE(DType::f64, DType::f32);
  CAPTURE(name(dtype));
  test::GoldenFile golden("losses");
  for (const std::string set : {"a", "b"}) {
    for (const auto& [type, kind] : kNames) {
      for (const bool critic : {true, false}) check_gan_loss(golden, set, type, critic, dtype);
    }
  }
  for (const std::string kind : {"l2", "l1"}) check_dsm_loss(golden, kind, dtype);
  golden.check_all_used();
}
