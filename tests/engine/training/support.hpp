#pragma once

#include "engine/training/trainer.hpp"
#include "models/registry.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace ascore::test {

/// A small run that trains within a moment: points and multilayer perceptrons, or 8x8 digits and convolutions.
struct SmallRun {
  bool images = false, adversarial = true;
  TrainerConfig config;
  std::unique_ptr<Dataset> data;

  SmallRun(bool on_images, bool with_critic) : images(on_images), adversarial(with_critic) {
    config.seed = 11;
    config.noise = {.sigma_begin = 2, .sigma_end = 0.05, .levels = 10, .spacing = Spacing::geometric};
    config.training = {.steps = 8,
                       .batch_size = images ? 4 : 64,
                       .checkpoint_every = 0,
                       .preview_every = 0,
                       .held_out_every = 0,
                       .held_out_samples = images ? 8 : 256};
    config.score_optimizer.lr = 2e-3;
    config.ema = 0.9;
    config.critic_optimizer = {.lr = 1e-3, .beta1 = -0.5};
    config.recipe = "# a small run\n";
    if (adversarial) config.adversarial = AdversarialConfig{.critic_steps = 2};
    if (images) config.range = image_range("none");
    DataConfig source;
    source.name = images ? "digits" : "gaussians8";
    data = open_dataset(source, config.seed);
  }
};

/// Networks and trainer of a SmallRun, living together.
struct SmallTrainer {
  Stream stream;
  std::unique_ptr<Allocator> allocator = make_pool_allocator(stream.device());
  Ctx ctx;
  std::unique_ptr<ScoreNetwork> network;
  std::unique_ptr<Critic> critic;
  Trainer trainer;

  SmallTrainer(const SmallRun& run, const std::filesystem::path& folder, int64_t width = 16,
               Device device = Device::cpu, DType compute = DType::f32, Communicator* ranks = nullptr)
      : stream(device, {.threads = run.images ? 2 : 1}),
        ctx{.stream = stream, .allocator = *allocator, .compute = compute},
        network(
            run.images
                ? make_score_network({.name = "ncsnv2", .sample_shape = run.data->sample_shape(), .width = 4})
                : make_score_network(
                      {.name = "mlp", .sample_shape = run.data->sample_shape(), .width = width, .conditional = true})),
        critic(!run.adversarial ? nullptr
                                : make_critic({.name = run.images ? "biggan" : "mlp",
                                               .sample_shape = run.data->sample_shape(),
                                               .width = run.images ? 2 : 16})),
        trainer(ctx, run.config, *network, critic.get(), *run.data, folder, ranks) {}

  TrainingEnd run(const TrainerObserver& observer = {}) {
    const std::atomic<bool> never = false;
    return trainer.run(never, observer);
  }
};

inline std::string file_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace ascore::test
