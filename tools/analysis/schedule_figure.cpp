#include "tools/analysis/schedule_figure.hpp"

#include "engine/training/noise_levels.hpp"
#include "kernels/core/error.hpp"
#include "samplers/schedule.hpp"
#include "samplers/variance.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

/// Where the levels' progression is after `position` levels, carried on beyond the last.
double progression(const NoiseConfig& noise, double position) {
  const double steps = noise.levels - 1;
  if (noise.spacing == Spacing::linear) {
    return noise.sigma_begin + position / steps * (noise.sigma_end - noise.sigma_begin);
  }
  return noise.sigma_begin * std::pow(noise.sigma_end / noise.sigma_begin, position / steps);
}

NoiseCurve curve(const ScheduleStudy& study, std::string sampler, int n_sigma, std::vector<double> deviation) {
  NoiseCurve result{.sampler = std::move(sampler),
                    .n_sigma = n_sigma,
                    .position = {},
                    .deviation = std::move(deviation),
                    .difference = {}};
  for (size_t step = 0; step < result.deviation.size(); ++step) {
    result.position.push_back(static_cast<double>(step) / n_sigma);
    result.difference.push_back(result.deviation[step] - progression(study.noise, result.position.back()));
  }
  return result;
}

std::string label(const ScheduleStudy& study, const NoiseCurve& curve) {
  if (curve.sampler == "cas") return fmt::format("consistent, eta {:g}", study.eta_cas);
  return fmt::format("annealed Langevin, n {}, eta {:g}", curve.n_sigma, study.eta_als);
}

PlotAxis levels_axis() {
  return {.label = "noise levels passed"};
}

/// The largest value, of all curves, of |difference| over the level's progression.
double largest_share(const NoiseConfig& noise, const NoiseCurve& curve) {
  double largest = 0;
  for (size_t i = 0; i < curve.position.size(); ++i) {
    largest = std::max(largest, std::abs(curve.difference[i]) / progression(noise, curve.position[i]));
  }
  return largest;
}

}  // namespace

std::vector<NoiseCurve> noise_curves(const ScheduleStudy& study) {
  if (study.noise.levels < 2)
    throw ConfigError(fmt::format("--levels {}: at least two are needed", study.noise.levels));
  const std::vector<double> sigmas = noise_levels(study.noise);
  const double last = sigmas.back() * sigmas.back();
  const StepInterval valid = valid_interval(sigmas);
  if (!(study.eta_cas * last > valid.low && study.eta_cas * last < valid.high)) {
    throw ConfigError(
        fmt::format("--eta-cas {:g}: outside ({:.6g}, {:.6g}), where consistent sampling over these {} "
                    "levels works; choose one inside, or more levels",
                    study.eta_cas, valid.low / last, valid.high / last, sigmas.size()));
  }
  if (!(study.eta_als > 0 && study.eta_als < 2)) {
    throw ConfigError(
        fmt::format("--eta-als {:g}: outside (0, 2), where Langevin steps do not diverge", study.eta_als));
  }
  std::vector<NoiseCurve> curves;
  for (const int64_t n : study.n_sigma) {
    const int n_sigma = static_cast<int>(n);
    curves.push_back(curve(study, "als", n_sigma, annealed_langevin_spread(sigmas, study.eta_als, n_sigma)));
  }
  curves.push_back(curve(study, "cas", 1, consistent_spread(sigmas, study.eta_cas)));
  return curves;
}

std::string to_csv(const std::vector<NoiseCurve>& curves) {
  std::string text = "sampler,n_sigma,step,position,deviation,difference\n";
  for (const NoiseCurve& curve : curves) {
    for (size_t step = 0; step < curve.deviation.size(); ++step) {
      text += fmt::format("{},{},{},{},{},{}\n", curve.sampler, curve.n_sigma, step, curve.position[step],
                          curve.deviation[step], curve.difference[step]);
    }
  }
  return text;
}

LinePlot deviation_plot(const ScheduleStudy& study, const std::vector<NoiseCurve>& curves) {
  LinePlot plot{.title = "Noise in the sample, if the score is exact",
                .x = levels_axis(),
                .y = {.label = "standard deviation", .logarithmic = true},
                .series = {}};
  for (const NoiseCurve& curve : curves) {
    plot.series.push_back({.label = label(study, curve), .x = curve.position, .y = curve.deviation});
  }
  PlotSeries levels{.label = "the levels themselves", .marks = true, .line = false, .thickness = 2};
  constexpr int kMarks = 24;
  for (int i = 0; i <= kMarks; ++i) {
    levels.x.push_back(static_cast<double>(i) / kMarks * (study.noise.levels - 1));
    levels.y.push_back(progression(study.noise, levels.x.back()));
  }
  plot.series.push_back(std::move(levels));
  return plot;
}

LinePlot difference_plot(const ScheduleStudy& study, const std::vector<NoiseCurve>& curves) {
  // what is left of a curve that lies on the levels is rounding: it is told, not drawn
  constexpr double kRounding = 1e-9;
  LinePlot plot{.title = "Noise in the sample above the levels' progression",
                .x = levels_axis(),
                .y = {.label = "difference of standard deviations", .logarithmic = true},
                .series = {}};
  for (const NoiseCurve& curve : curves) {
    if (largest_share(study.noise, curve) < kRounding) {
      plot.title += fmt::format(" (none: {})", label(study, curve));
      continue;
    }
    plot.series.push_back({.label = label(study, curve), .x = curve.position, .y = curve.difference});
  }
  return plot;
}

}  // namespace ascore::tools
