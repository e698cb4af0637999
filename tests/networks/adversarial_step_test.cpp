#include "engine/training/adversarial.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <map>
#include <numeric>
#include <string>

using namespace ascore;

namespace {

using Gradients = std::map<std::string, std::vector<double>>;  // by the parameter's full name

/// What one iteration of the adversarial game computed on a device.
struct Outcome {
  std::vector<double> losses;
  Gradients critic, score;
};

Gradients gradients(Ctx& ctx, const Learner& learner) {
  Gradients all;
  const auto parameters = learner.parameters.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    all[parameters[i]->name] = ctx.to_host(learner.parameters.slice(learner.gradients, i));
  }
  return all;
}

double norm(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

/// Each parameter's gradient by itself, in the 2-norm. Gradients pass through the singular values, pools and a clamp:
/// the tolerance is that of the golden numbers. Beside it, 1e-6 of the largest gradient: biases in front of a norm have
/// a gradient of zero but for rounding.
void check_agreement(const Gradients& result, const Gradients& reference) {
  REQUIRE(result.size() == reference.size());
  double largest = 0;
  for (const auto& [name, values] : reference) largest = std::max(largest, norm(values));
  for (const auto& [name, values] : reference) {
    CAPTURE(name);
    std::vector<double> difference = result.at(name);
    for (size_t i = 0; i < values.size(); ++i) difference[i] -= values[i];
    CHECK(norm(difference) <= 2e-4 * norm(values) + 1e-6 * largest);
  }
}

Outcome one_iteration(Device device, DType dtype, uint64_t schedule) {
  test::Bench bench(device, dtype, schedule);
  const Shape sample{8, 8, 1};
  const auto network = make_score_network({.name = "ncsnv2", .sample_shape = sample, .width = 4});
  const auto critic = make_critic({.name = "biggan", .sample_shape = sample, .width = 2});
  Learner score_learner(bench.ctx, *network, {}, 0.999, dtype);
  Learner critic_learner(bench.ctx, *critic, {.beta1 = -0.5}, std::nullopt, dtype);
  score_learner.initialise(bench.ctx, 3);
  critic_learner.initialise(bench.ctx, 4);
  AdversarialGame game({.adversarial = AdversarialConfig{}, .range = image_range("none")}, *network, score_learner,
                       critic.get(), &critic_learner);

  std::vector<double> images = test::normals(2 * 64, 5);  // blotches between black and white
  for (double& pixel : images) pixel = std::clamp(0.5 + 0.4 * pixel, 0.0, 1.0);
  const Tensor clean = bench.ctx.from_host(images, {2, 8, 8, 1}, dtype);
  const Tensor levels = bench.ctx.from_host(noise_levels(5, 0.01, 10, Spacing::geometric), {10}, dtype);
  const auto noisy = [&](RandomStream sigma, RandomStream noise) {
    return add_noise(bench.ctx, clean, levels, ScoreTarget::gaussian, {.seed = 6, .stream = id(sigma)},
                     {.seed = 6, .stream = id(noise)});
  };
  const CriticUpdate d = game.update_critic(bench.ctx, noisy(RandomStream::critic_sigma, RandomStream::critic_noise));
  const ScoreUpdate g = game.update_score(bench.ctx, noisy(RandomStream::sigma, RandomStream::noise));
  test::require_kernels_ran(bench.stream);
  return {.losses = {d.loss, g.dsm, g.generator, g.loss},
          .critic = gradients(bench.ctx, critic_learner),
          .score = gradients(bench.ctx, score_learner)};
}

}  // namespace

TEST_CASE("an iteration of a small adversarial NCSNv2 agrees with the cpu, and there with f64") {
  const Device device = GENERATE(from_range(test::devices()));
  CAPTURE(name(device));
  const DType wide = device == Device::cpu ? DType::f64 : DType::f32;
  const Outcome reference = one_iteration(Device::cpu, wide, 0), result = one_iteration(device, DType::f32, 1);
  for (size_t i = 0; i < reference.losses.size(); ++i) {
    CAPTURE(i);
    CHECK(result.losses[i] == Approx(reference.losses[i]).epsilon(1e-5));
  }
  check_agreement(result.critic, reference.critic);
  check_agreement(result.score, reference.score);
}
