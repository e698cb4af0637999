// What bf16 costs a trained network: hardly anything, at any noise level.
#include "engine/data/dataset.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/trainer.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <cmath>

using namespace ascore;

namespace {

constexpr int64_t kImages = 64;

/// A small NCSNv2 and what it was trained on: the built-in digits, in f32.
struct Trained {
  Stream stream{Device::cpu, {.threads = 1}};
  std::unique_ptr<Allocator> allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  std::unique_ptr<Dataset> data = open_dataset({.name = "digits"}, 1);
  TrainerConfig config = recipe();
  std::unique_ptr<ScoreNetwork> network =
      make_score_network({.name = "ncsnv2", .sample_shape = data->sample_shape(), .width = 8});
  Trainer trainer{ctx, config, *network, nullptr, *data, {}};

  Trained() {
    const std::atomic<bool> never = false;
    trainer.run(never);
  }

  static TrainerConfig recipe() {
    TrainerConfig made;
    made.seed = 3;
    made.noise = {.sigma_begin = 5, .sigma_end = 0.01, .levels = 10};
    made.training = {.steps = 250, .batch_size = 32, .checkpoint_every = 0, .preview_every = 0, .held_out_every = 0};
    made.score_optimizer = {.lr = 3e-3, .beta1 = 0.9, .beta2 = 0.999};
    made.range = image_range("none");
    return made;
  }

  /// Mean denoising score matching loss of held-out digits at one level, per pixel.
  double loss(double sigma, DType compute) {
    Ctx evaluation = ctx;
    evaluation.compute = compute;
    const Shape sample = data->sample_shape();
    const auto pixels = static_cast<size_t>(sample.count());
    const std::vector<double> noise = test::normals(kImages * pixels, 7);
    std::vector<double> noisy;
    std::vector<float> image(pixels);
    for (int64_t i = 0; i < kImages; ++i) {
      data->read(Split::test, i, image.data());
      for (const float value : image) noisy.push_back(static_cast<double>(value) + sigma * noise[noisy.size()]);
    }
    const Tensor x = ctx.from_host(noisy, {kImages, sample[0], sample[1], sample[2]}, DType::f32);
    const std::vector<double> s = ctx.to_host(network->forward(evaluation, x, {}));
    double sum = 0;
    for (size_t i = 0; i < s.size(); ++i) sum += (s[i] + noise[i]) * (s[i] + noise[i]) / 2;
    return sum / static_cast<double>(s.size());
  }
};

}  // namespace

TEST_CASE("a trained network's loss in bf16 is within 1 % of that in f32 at every noise level", "[models]") {
  Trained run;
  double worst = 0;
  for (const double sigma : noise_levels(run.config.noise)) {
    const double wide = run.loss(sigma, DType::f32), narrow = run.loss(sigma, DType::bf16);
    CAPTURE(sigma, wide, narrow);
    CHECK(wide < 0.48);  // has learnt something: guessing no noise at all costs 0.5
    CHECK(narrow != wide);
    CHECK(std::abs(narrow - wide) < 0.01 * wide);
    worst = std::max(worst, std::abs(narrow / wide - 1));
  }
  CHECK(worst > 0);
}
