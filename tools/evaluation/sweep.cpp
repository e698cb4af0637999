#include "tools/evaluation/sweep.hpp"

#include "engine/training/checkpoint.hpp"
#include "engine/training/noise_levels.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

namespace fs = std::filesystem;

/// A curve of the plot: one sampler, its steps per level, plain or denoised.
using Curve = std::tuple<SamplerKind, int, bool>;

std::vector<double> constant_ratio(const SweepRange& range) {
  std::vector<double> values;
  for (int64_t i = 0; i < range.count; ++i) {
    const double share = range.count > 1 ? static_cast<double>(i) / static_cast<double>(range.count - 1) : 0;
    values.push_back(range.low * std::pow(range.high / range.low, share));
  }
  return values;
}

int64_t step_of(const fs::path& checkpoint) {
  const std::string digits = checkpoint.stem().string().substr(std::string("step-").size());
  int64_t step = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), step);
  return step;
}

std::string label(const Curve& curve) {
  const auto& [sampler, n_sigma, denoised] = curve;
  return fmt::format("{}, n {}, {}", name(sampler), n_sigma, denoised ? "denoised" : "plain");
}

bool nearer(const SweepResult& a, const SweepResult& b) {
  return a.distance < b.distance;
}

}  // namespace

SweepRange parse_range(const std::string& option, const std::string& text) {
  SweepRange range;
  const char *at = text.data(), *const end = at + text.size();
  const auto number = [&](auto& value, bool last) {
    const auto [rest, error] = std::from_chars(at, end, value);
    at = rest;
    if (error != std::errc{} || (last ? at != end : at == end || *at++ != ':')) at = nullptr;
    return at != nullptr;
  };
  const bool whole = number(range.low, false) && number(range.high, false) && number(range.count, true);
  if (!whole || !(range.low > 0) || !(range.low <= range.high) || !std::isfinite(range.high) || range.count < 1 ||
      range.count > 10'000) {
    throw ConfigError(fmt::format("{} {}: a range is A:B:N with 0 < A <= B and N from 1 to 10000", option, text));
  }
  return range;
}

std::vector<SweepSetting> step_sizes(const std::string& text, SamplerKind sampler, int n_sigma,
                                     const NoiseConfig& noise) {
  const std::vector<double> sigmas = sampler_schedule(sampler, noise, n_sigma);
  const StepInterval valid = valid_interval(sigmas);
  const bool consistent = sampler == SamplerKind::cas;
  SweepRange range;
  if (text == "auto") {
    constexpr double kMostEta = 1.5;
    const double most = kMostEta * sigmas.back() * sigmas.back(), low = std::min(valid.low, most / 10);
    range = {.low = (consistent ? 1.02 * valid.low : low / n_sigma),
             .high = std::min(consistent ? 4 * valid.low : 10 * low / n_sigma, most),
             .count = 8};
    range.high = std::max(range.low, range.high);
  } else {
    range = parse_range("--step-size", text);
  }
  std::vector<SweepSetting> settings;
  for (const double step : constant_ratio(range)) {
    if (consistent && !(step > valid.low && step < valid.high)) continue;
    settings.push_back({sampler, n_sigma, step});
  }
  if (settings.empty()) {
    throw ConfigError(fmt::format("--step-size {}: nothing inside ({:.6g}, {:.6g}), where cas with n_sigma {} works",
                                  text, valid.low, valid.high, n_sigma));
  }
  return settings;
}

std::vector<fs::path> sweep_checkpoints(const fs::path& run, const std::string& text) {
  std::vector<fs::path> all;
  for (std::optional<fs::path> file = find_checkpoint(run); file; file = checkpoint_before(*file)) all.push_back(*file);
  std::ranges::reverse(all);
  if (text == "last") return {all.back()};
  if (text == "all") return all;
  const SweepRange range = parse_range("--checkpoints", text);
  std::vector<fs::path> chosen;
  for (int64_t i = 0; i < range.count; ++i) {
    const double share = range.count > 1 ? static_cast<double>(i) / static_cast<double>(range.count - 1) : 0;
    const double wanted = range.low + share * (range.high - range.low);
    const auto nearest = std::ranges::min_element(
        all, {}, [&](const fs::path& file) { return std::abs(static_cast<double>(step_of(file)) - wanted); });
    if (chosen.empty() || chosen.back() != *nearest) chosen.push_back(*nearest);
  }
  return chosen;
}

std::string to_csv(const std::vector<SweepResult>& results, const std::string& metric, double sigma_end) {
  std::string text = fmt::format("checkpoint,sampler,n_sigma,step_size,eta,sample,{}\n", metric);
  for (const SweepResult& result : results) {
    text +=
        fmt::format("{},{},{},{},{},{},{}\n", result.checkpoint, name(result.setting.sampler), result.setting.n_sigma,
                    result.setting.step_size, result.setting.step_size / (sigma_end * sigma_end),
                    result.denoised ? "denoised" : "plain", result.distance);
  }
  return text;
}

const SweepResult& best(const std::vector<SweepResult>& results) {
  return *std::ranges::min_element(results, nearer);
}

LinePlot sweep_plot(const std::vector<SweepResult>& results, const std::string& metric) {
  const bool over_training = results.front().checkpoint != results.back().checkpoint;
  std::map<Curve, std::map<double, double>> curves;
  for (const SweepResult& result : results) {
    const double x = over_training ? static_cast<double>(result.checkpoint) : result.setting.step_size;
    auto& curve = curves[{result.setting.sampler, result.setting.n_sigma, result.denoised}];
    const auto [place, fresh] = curve.emplace(x, result.distance);
    if (!fresh) place->second = std::min(place->second, result.distance);
  }
  LinePlot plot{.title = over_training ? "Distance to the data over training, at each sampler's best step size"
                                       : "Distance to the data against step size",
                .x = {.label = over_training ? "training step" : "step size", .logarithmic = !over_training},
                .y = {.label = metric, .logarithmic = true},
                .series = {}};
  for (const auto& [curve, values] : curves) {
    PlotSeries series{.label = label(curve), .marks = true};
    for (const auto& [x, y] : values) {
      series.x.push_back(x);
      series.y.push_back(y);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

}  // namespace ascore::tools
