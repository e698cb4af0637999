#include "tools/analysis/level_errors.hpp"

#include "engine/io/host_tensor.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "engine/training/score_matching.hpp"
#include "kernels/core/error.hpp"
#include "tools/session.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

/// Sums over the samples of one level.
struct Sums {
  double loss = 0, output = 0, output_squares = 0, error_squares = 0, samples = 0, values = 0;
};

/// Test samples [first, first + rows).
Tensor test_samples(Ctx& ctx, const Dataset& data, int64_t first, int64_t rows) {
  std::vector<int64_t> dims{rows};
  dims.insert(dims.end(), data.sample_shape().dims().begin(), data.sample_shape().dims().end());
  HostTensor values(Shape(std::span<const int64_t>(dims)), DType::f32);
  const int64_t width = data.sample_shape().count();
  for (int64_t i = 0; i < rows; ++i) data.read(Split::test, first + i, values.as<float>().data() + i * width);
  return upload_state(ctx, values);
}

void add(Sums& sums, Ctx& ctx, const ScoreNetwork& network, const Tensor& clean, const LevelStudy& study, double sigma,
         int64_t first) {
  const NoiseKey key{.seed = study.seed, .first_sample = static_cast<uint64_t>(first)};
  const Tensor level = ctx.from_host(std::vector<double>{sigma}, {1}, clean.dtype());  // the only one to draw from
  const NoisyBatch batch = add_noise(ctx, clean, level, study.target, key.with_stream(id(RandomStream::held_out)),
                                     key.with_stream(id(RandomStream::held_out_noise)));
  const Tensor per_sample = ctx.empty({clean.dim(0)}, clean.dtype());
  const Tensor s = evaluate_score(ctx, network, batch, study.loss, per_sample).s;
  for (const double loss : ctx.to_host(per_sample)) sums.loss += loss;
  const std::vector<double> wanted = ctx.to_host(clean), output = ctx.to_host(s),
                            got = ctx.to_host(denoised(ctx, batch, s, study.target));
  for (size_t i = 0; i < wanted.size(); ++i) {
    sums.output += output[i];
    sums.output_squares += output[i] * output[i];
    sums.error_squares += (got[i] - wanted[i]) * (got[i] - wanted[i]);
  }
  sums.samples += static_cast<double>(clean.dim(0));
  sums.values += static_cast<double>(wanted.size());
}

LevelError means(const Sums& sums, double sigma) {
  const double mean = sums.output / sums.values;
  const LevelError error{.sigma = sigma,
                         .loss = sums.loss / sums.samples,
                         .output_variance = sums.output_squares / sums.values - mean * mean,
                         .denoised_rmse = std::sqrt(sums.error_squares / sums.values)};
  if (!std::isfinite(error.loss + error.output_variance + error.denoised_rmse)) {
    throw DivergedError(fmt::format("at sigma {:.6g} the network's output is not finite: training diverged", sigma));
  }
  return error;
}

/// A plot against sigma, on a logarithmic axis.
LinePlot plot_of(const std::vector<LevelError>& levels, std::string title, PlotAxis y, double LevelError::*value,
                 std::string label) {
  LinePlot plot{.title = std::move(title),
                .x = {.label = "sigma", .logarithmic = true},
                .y = std::move(y),
                .series = {PlotSeries{.label = std::move(label)}}};
  for (const LevelError& level : levels) {
    plot.series[0].x.push_back(level.sigma);
    plot.series[0].y.push_back(level.*value);
  }
  return plot;
}

}  // namespace

std::vector<LevelError> level_errors(Ctx& ctx, const ScoreNetwork& network, const Dataset& data,
                                     const LevelStudy& study, const std::function<void(int64_t done)>& progress) {
  if (study.count > data.size(Split::test)) {
    throw ConfigError(fmt::format("--count {}: the data has {} test samples", study.count, data.size(Split::test)));
  }
  Ctx inference = ctx.detached();
  inference.training = false;
  const std::vector<double> sigmas = noise_levels(study.noise);
  std::vector<Sums> sums(sigmas.size());
  const int64_t parts = (study.count + study.batch - 1) / study.batch;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = part * study.batch;
    const Tensor clean = test_samples(inference, data, first, std::min(study.batch, study.count - first));
    for (size_t i = 0; i < sigmas.size(); ++i) {
      add(sums[i], inference, network, clean, study, sigmas[i], first);
      if (progress) progress((part * static_cast<int64_t>(sigmas.size()) + static_cast<int64_t>(i) + 1) / parts);
    }
  }
  std::vector<LevelError> levels;
  for (size_t i = 0; i < sigmas.size(); ++i) levels.push_back(means(sums[i], sigmas[i]));
  return levels;
}

std::string to_csv(const std::vector<LevelError>& levels) {
  std::string text = "level,sigma,loss,output_variance,denoised_rmse\n";
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto& [sigma, loss, variance, rmse] = levels[i];
    text += fmt::format("{},{},{},{},{}\n", i + 1, sigma, loss, variance, rmse);
  }
  return text;
}

LinePlot level_loss_plot(const std::vector<LevelError>& levels) {
  return plot_of(levels, "Loss on held-out samples, by noise level", {.label = "loss per sample", .logarithmic = true},
                 &LevelError::loss, "");
}

LinePlot output_variance_plot(const std::vector<LevelError>& levels) {
  LinePlot plot = plot_of(levels, "Variance of the network's output, by noise level", {.label = "variance"},
                          &LevelError::output_variance, "of the output");
  PlotSeries one{.label = "of the noise", .thickness = 1.2};
  for (const LevelError& level : {levels.front(), levels.back()}) {
    one.x.push_back(level.sigma);
    one.y.push_back(1);
  }
  plot.series.push_back(std::move(one));
  return plot;
}

LinePlot denoised_error_plot(const std::vector<LevelError>& levels) {
  LinePlot plot =
      plot_of(levels, "Error of the denoised sample, by noise level",
              {.label = "root mean square error", .logarithmic = true}, &LevelError::denoised_rmse, "denoised");
  PlotSeries left{.label = "noisy: sigma itself", .thickness = 1.2};
  for (const LevelError& level : levels) {
    left.x.push_back(level.sigma);
    left.y.push_back(level.sigma);
  }
  plot.series.push_back(std::move(left));
  return plot;
}

}  // namespace ascore::tools
