#include "engine/training/adversarial.hpp"
#include "kernels/core/memory.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/golden.hpp"

#include <map>

#include <fmt/format.h>

using namespace ascore;

namespace {

constexpr double kRate = 1e-4;  // of both optimizers

/// Largest deviations allowed, relative to the largest element of a tensor, by what the tensor is (the README's).
struct Tolerances {
  DType dtype;
  double output, loss, gradient, step;
};
constexpr Tolerances kDouble{DType::f64, 1e-9, 1e-9, 1e-9, 0};
constexpr Tolerances kSingle{DType::f32, 1e-5, 1e-5, 2e-4, 1e-2 * kRate};

/// Three iterations of the game, next to what PyTorch recorded of them.
class Replay {
 public:
  explicit Replay(const Tolerances& tolerances)
      : tolerances_(tolerances),
        golden_("adv_ncsnv2_biggan32"),
        bench_(Device::cpu, tolerances.dtype),
        network_(make_score_network({.name = "ncsnv2", .sample_shape = {32, 32, 3}, .width = 8})),
        critic_(make_critic({.name = "biggan", .sample_shape = {32, 32, 3}, .width = 4})),
        score_learner_(bench_.ctx, *network_, {.lr = kRate, .beta1 = 0, .beta2 = 0.9}, std::nullopt, tolerances.dtype),
        critic_learner_(bench_.ctx, *critic_, {.lr = kRate, .beta1 = -0.5, .beta2 = 0.9}, std::nullopt,
                        tolerances.dtype),
        game_({.adversarial = AdversarialConfig{}, .range = image_range("none")}, *network_, score_learner_,
              critic_.get(), &critic_learner_),
        clean_(golden_.values_channels_last("input")),
        sigmas_(golden_.values("sigmas")) {
    load(score_learner_, "param.");
    load(critic_learner_, "dparam.");
    compare("sigmas_f64", sigmas_, 1e-7);  // the run used the f32 values
  }

  void run() {
    for (int k = 1; k <= 3; ++k) iterate(k);
    golden_.check_all_used();
  }

 private:
  void iterate(int k) {
    INFO("iteration " << k);
    const std::string at = fmt::format("it{}.", k);
    const CriticUpdate critic = game_.update_critic(bench_.ctx, batch(at + "d."));
    compare(at + "d.fake", critic.fake);
    compare(at + "d.real_pred", critic.real_verdict);
    compare(at + "d.fake_pred", critic.fake_verdict);
    compare(at + "d.loss", {critic.loss}, tolerances_.loss);
    if (k == 1) compare_gradients(critic_learner_, "dgrad.");
    note_settled(critic_learner_);

    const ScoreUpdate score = game_.update_score(bench_.ctx, batch(at + "g."));
    compare(at + "g.fake", score.fake);
    compare(at + "g.real_pred", score.real_verdict);
    compare(at + "g.fake_pred", score.fake_verdict);
    compare(at + "g.loss_dae", {score.dsm}, tolerances_.loss);
    compare(at + "g.loss_adv", {score.generator}, tolerances_.loss);
    compare(at + "g.loss", {score.loss}, tolerances_.loss);
    if (k == 1) compare_gradients(score_learner_, "grad.");
    note_settled(score_learner_);

    if (k == 2) return;  // states are recorded after iterations 1 and 3
    compare_parameters(score_learner_, fmt::format("adam{}.", k), k);
    compare_parameters(critic_learner_, fmt::format("dadam{}.", k), k);
    for (const Parameter* buffer : critic_learner_.parameters.buffers()) {
      compare(fmt::format("dbuf{}.{}", k, buffer->name), buffer->value);
    }
  }

  void load(Learner& learner, const std::string& prefix) {
    const auto set = [&](const Parameter& p) {
      const HostTensor value = golden_.channels_last(prefix + p.name);
      REQUIRE(value.shape == p.shape);
      copy(bench_.stream, p.value.view(), bench_.ctx.from_host(value.to_doubles(), p.shape, tolerances_.dtype));
    };
    for (const Parameter* p : learner.parameters.parameters()) set(*p);
    for (const Parameter* p : learner.parameters.buffers()) set(*p);
    learner.parameters.mark_changed();
  }

  /// The recorded levels and normals of one update, applied to the images.
  NoisyBatch batch(const std::string& at) {
    const std::vector<double> z = golden_.values_channels_last(at + "z"), labels = golden_.values(at + "labels");
    const size_t width = clean_.size() / labels.size();
    std::vector<double> sigma, noisy(clean_), target(z);
    for (double label : labels) sigma.push_back(sigmas_.at(static_cast<size_t>(label)));
    for (size_t i = 0; i < noisy.size(); ++i) {
      noisy[i] += sigma[i / width] * z[i];
      target[i] = -z[i];
    }
    const Shape images{static_cast<int64_t>(labels.size()), 32, 32, 3};
    const auto tensor = [&](const std::vector<double>& values, const Shape& shape) {
      return bench_.ctx.from_host(values, shape, tolerances_.dtype);
    };
    return {.clean = tensor(clean_, images),
            .noisy = tensor(noisy, images),
            .sigma = tensor(sigma, {images.dim(0)}),
            .target = tensor(target, images)};
  }

  void compare(const std::string& name, const std::vector<double>& values, double tolerance) {
    const std::vector<double> reference = golden_.values_channels_last(name);
    REQUIRE(values.size() == reference.size());
    const bool rounded = golden_.tensor(name).dtype == DType::f32;
    INFO(name);
    CHECK(test::max_relative_error(values, reference) <= (rounded ? std::max(tolerance, 1e-7) : tolerance));
  }
  void compare(const std::string& name, const Tensor& value) {
    compare(name, bench_.ctx.to_host(value), tolerances_.output);
  }

  void compare_gradients(const Learner& learner, const std::string& prefix) {
    const ParameterSet& set = learner.parameters;
    for (size_t i = 0; i < set.parameters().size(); ++i) {
      compare(prefix + set.parameters()[i]->name, bench_.ctx.to_host(set.slice(learner.gradients, i)),
              tolerances_.gradient);
    }
  }

  /// Remembers which elements had a gradient worth the name in every update so far.
  void note_settled(const Learner& learner) {
    const ParameterSet& set = learner.parameters;
    for (size_t i = 0; i < set.parameters().size(); ++i) {
      const std::vector<double> gradient = bench_.ctx.to_host(set.slice(learner.gradients, i));
      std::vector<bool>& settled = settled_[set.parameters()[i]];
      settled.resize(gradient.size(), true);
      double largest = 0;
      for (double g : gradient) largest = std::max(largest, std::abs(g));
      for (size_t n = 0; n < gradient.size(); ++n) settled[n] = settled[n] && std::abs(gradient[n]) > 1e-3 * largest;
    }
  }

  /// Adam divides by the gradient's size: where that is next to nothing, its sign is a matter of rounding, and a step
  /// may go either way. There, two steps' lengths per update are allowed in f32.
  void compare_parameters(const Learner& learner, const std::string& prefix, int updates) {
    for (const Parameter* p : learner.parameters.parameters()) {
      const std::vector<double> values = bench_.ctx.to_host(p->value);
      if (tolerances_.dtype == DType::f64) {
        compare(prefix + p->name, values, 1e-7);
        continue;
      }
      INFO(prefix << p->name);
      const std::vector<double> reference = golden_.values_channels_last(prefix + p->name);
      REQUIRE(values.size() == reference.size());
      double settled = 0, unsettled = 0;
      for (size_t n = 0; n < values.size(); ++n) {
        double& worst = settled_[p][n] ? settled : unsettled;
        worst = std::max(worst, std::abs(values[n] - reference[n]));
      }
      CHECK(settled <= tolerances_.step);
      CHECK(unsettled <= 2 * kRate * updates);
    }
  }

  Tolerances tolerances_;
  test::GoldenFile golden_;
  test::Bench bench_;
  std::unique_ptr<ScoreNetwork> network_;
  std::unique_ptr<Critic> critic_;
  Learner score_learner_, critic_learner_;
  AdversarialGame game_;
  std::vector<double> clean_, sigmas_;
  std::map<const Parameter*, std::vector<bool>> settled_;
};

}  // namespace

TEST_CASE("three iterations of adversarial score matching agree with PyTorch in f64") {
  Replay(kDouble).run();
}

TEST_CASE("three iterations of adversarial score matching agree with PyTorch in f32") {
  Replay(kSingle).run();
}
