// What runs on images, in f32 whatever the networks compute in: noise, the samplers' update, losses.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/gan_loss/gan_loss.hpp"
#include "kernels/langevin/langevin.hpp"
#include "kernels/perturb/perturb.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "kernels/score_loss/score_loss.hpp"
#include "kernels/sigma_draw/sigma_draw.hpp"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

constexpr NoiseKey kKey{.seed = 11, .stream = 6, .step = 3};
constexpr double kStep = 0.25, kSpread = 0.5;  // a and b of x += a d + b z

double image_bytes(const Shape& images) {
  return 4 * static_cast<double>(images.count());
}

/// Standard normal number `i` of images under kKey, in f64 from the random bits on (Box-Muller).
double exact_normal(const Shape& images, int64_t i) {
  const int64_t width = images.count() / images[0], column = i % width;
  const RandomBits bits = random_bits(kKey, i / width, static_cast<uint32_t>(column / 4));
  const uint32_t radius = bits.word[column % 4 / 2 * 2], turn = bits.word[column % 4 / 2 * 2 + 1];
  const double angle = 2 * std::numbers::pi * std::ldexp(static_cast<double>(turn), -32);
  const double length = std::sqrt(-2 * std::log(std::ldexp(static_cast<double>(radius) + 0.5, -32)));
  return length * (column % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

Subject prepare_normal(Workbench& bench, const Shape& images) {
  const Tensor y = bench.zeros(images, DType::f32);
  return {.run = [&stream = bench.stream(), y] { kernels::random_normal(stream, kKey, 0, 1, y.view()); },
          .result = y,
          .error =
              [&bench, images](const Tensor& result) {
                return relative_error(bench.ctx(), result, [&](int64_t i) { return exact_normal(images, i); });
              },
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, image_bytes(images))};
}

Subject prepare_langevin(Workbench& bench, const Shape& images) {
  const Tensor x = bench.normal(images, DType::f32), d = bench.normal(images, DType::f32);
  const Tensor coefficients = bench.ctx().scalars({kStep, kSpread});
  const auto before = std::make_shared<HostCopy>(bench.ctx(), x);
  const auto error = [&bench, before, d, images](const Tensor& result) {
    const HostCopy direction(bench.ctx(), d);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      return (*before)[i] + kStep * direction[i] + kSpread * exact_normal(images, i);
    });
  };
  return {.run = [&stream = bench.stream(), x, d,
                  coefficients] { kernels::langevin_step(stream, x.view(), d, coefficients, kKey); },
          .result = x,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 3 * image_bytes(images))};
}

Subject prepare_perturb(Workbench& bench, const Shape& images) {
  const Tensor x = bench.normal(images, DType::f32), sigma = bench.normal({images[0]}, DType::f32);
  const Tensor y = bench.zeros(images, DType::f32), minus_z = bench.zeros(images, DType::f32);
  const auto error = [&bench, x, sigma, images](const Tensor& result) {
    const HostCopy clean(bench.ctx(), x), levels(bench.ctx(), sigma);
    const int64_t width = images.count() / images[0];
    return relative_error(bench.ctx(), result,
                          [&](int64_t i) { return clean[i] + levels[i / width] * exact_normal(images, i); });
  };
  return {.run = [&stream = bench.stream(), x, sigma, y,
                  minus_z] { kernels::perturb(stream, x, sigma, kKey, y.view(), minus_z.view()); },
          .result = y,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 3 * image_bytes(images))};
}

Subject prepare_score_loss(Workbench& bench, const Shape& images) {
  const Tensor s = bench.normal(images, DType::f32), target = bench.normal(images, DType::f32);
  const Tensor per_sample = bench.zeros({images[0]}, DType::f32), mean = bench.zeros({1}, DType::f32);
  const Tensor workspace = bench.workspace(kernels::score_loss_workspace_bytes(images));
  const auto run = [&stream = bench.stream(), s, target, per_sample, mean, workspace] {
    View scratch;
    if (workspace) scratch = workspace.view();
    kernels::score_loss(stream, DsmLoss::l2, s, target, per_sample.view(), mean.view(), scratch);
  };
  const auto error = [&bench, s, target, images](const Tensor& result) {
    const HostCopy a(bench.ctx(), s), b(bench.ctx(), target);
    const int64_t width = images.count() / images[0];
    return relative_error(bench.ctx(), result, [&](int64_t n) {
      double sum = 0;
      for (int64_t i = n * width; i < (n + 1) * width; ++i) sum += 0.5 * (a[i] - b[i]) * (a[i] - b[i]);
      return sum;
    });
  };
  return {.run = run,
          .result = per_sample,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 2 * image_bytes(images))};
}

Subject prepare_score_loss_backward(Workbench& bench, const Shape& images) {
  const Tensor s = bench.normal(images, DType::f32), target = bench.normal(images, DType::f32);
  const Tensor arrived = bench.normal({1}, DType::f32), gradient = bench.zeros(images, DType::f32);
  const auto error = [&bench, s, target, arrived, images](const Tensor& result) {
    const HostCopy a(bench.ctx(), s), b(bench.ctx(), target), g(bench.ctx(), arrived);
    return relative_error(bench.ctx(), result,
                          [&](int64_t i) { return g[0] / static_cast<double>(images[0]) * (a[i] - b[i]); });
  };
  return {.run = [&stream = bench.stream(), s, target, arrived,
                  gradient] { kernels::score_loss_backward(stream, DsmLoss::l2, s, target, arrived, gradient.view()); },
          .result = gradient,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 3 * image_bytes(images))};
}

/// A noise level for every image, of CIFAR-10's 232.
Subject prepare_sigma_draw(Workbench& bench, int64_t batch) {
  constexpr int64_t kLevels = 232;
  const Tensor levels = bench.normal({kLevels}, DType::f32), sigma = bench.zeros({batch}, DType::f32);
  const Tensor index = bench.zeros({batch}, DType::i32);
  const auto error = [&bench, levels](const Tensor& result) {
    const HostCopy table(bench.ctx(), levels);
    return relative_error(bench.ctx(), result, [&](int64_t n) {
      const double share = std::ldexp(static_cast<double>(random_bits(kKey, n, 0).word[0]), -32);
      return table[static_cast<int64_t>(share * static_cast<double>(kLevels))];
    });
  };
  return {.run = [&stream = bench.stream(), levels, sigma,
                  index] { kernels::sigma_draw(stream, kKey, levels, sigma.view(), index.view()); },
          .result = sigma,
          .error = error,
          .allowed = 0,
          .yardstick = {"none: a batch of numbers"}};
}

/// The critic's least-squares loss, m((1 - real)^2 + (1 + fake)^2).
Subject prepare_gan_loss(Workbench& bench, int64_t batch) {
  const Tensor real = bench.normal({batch}, DType::f32), fake = bench.normal({batch}, DType::f32);
  const Tensor loss = bench.zeros({1}, DType::f32);
  const auto error = [&bench, real, fake](const Tensor& result) {
    const HostCopy a(bench.ctx(), real), b(bench.ctx(), fake);
    return relative_error(bench.ctx(), result, [&](int64_t) {
      double sum = 0;
      for (int64_t n = 0; n < real.dim(0); ++n) sum += (1 - a[n]) * (1 - a[n]) + (1 + b[n]) * (1 + b[n]);
      return sum / static_cast<double>(real.dim(0));
    });
  };
  return {.run = [&stream = bench.stream(), real, fake,
                  loss] { kernels::gan_loss(stream, GanLoss::lsgan, GanPlayer::critic, real, fake, loss.view()); },
          .result = loss,
          .error = error,
          .allowed = 1e-4,
          .yardstick = {"none: a batch of numbers"}};
}

}  // namespace

void add_sampling_cases(const KernelOptions& options, Cases& cases) {
  const Shape images{options.batch, options.size, options.size, 3};
  const auto add = [&](const char* operation, double tensors, auto prepare) {
    cases.push_back({fmt::format("{}/images/{}x{}x3/f32", operation, options.size, options.size), 0,
                     tensors * image_bytes(images),
                     [prepare, images](Workbench& bench) { return prepare(bench, images); }});
  };
  add("random_normal", 1, prepare_normal);
  add("langevin_step", 3, prepare_langevin);
  add("perturb", 3, prepare_perturb);
  add("score_loss_forward", 2, prepare_score_loss);
  add("score_loss_backward", 3, prepare_score_loss_backward);
  cases.push_back({fmt::format("sigma_draw/images/{}/f32", options.batch), 0, 12 * static_cast<double>(options.batch),
                   [batch = options.batch](Workbench& bench) { return prepare_sigma_draw(bench, batch); }});
  cases.push_back({fmt::format("gan_loss/critic/{}/f32", options.batch), 0, 8 * static_cast<double>(options.batch),
                   [batch = options.batch](Workbench& bench) { return prepare_gan_loss(bench, batch); }});
}

}  // namespace ascore::bench
