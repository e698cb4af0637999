#include "tools/analysis/residual_noise.hpp"

#include "engine/metrics/mixture_noise.hpp"
#include "samplers/variance.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

constexpr size_t kMostPlaces = 128;  // states of a whole way do not fit into memory

std::string label(const ResidualCurve& curve) {
  return fmt::format("{} n {}", curve.sampler, curve.n_sigma);
}

PlotAxis levels_axis() {
  return {.label = "noise levels passed"};
}

std::vector<double> over_level(const ResidualCurve& curve, const std::vector<double>& values) {
  std::vector<double> ratios;
  for (size_t i = 0; i < values.size(); ++i) ratios.push_back(values[i] / curve.level[i]);
  return ratios;
}

}  // namespace

ResidualProbe::ResidualProbe(SamplingPlan plan, std::optional<Mixture> mixture)
    : plan_(std::move(plan)), mixture_(std::move(mixture)) {
  // Where they are too many, only those at the beginning of a level: the noise goes up and down within one.
  const size_t all = plan_.evaluations(), per_level = static_cast<size_t>(plan_.n_sigma), levels = all / per_level;
  const size_t every = all <= kMostPlaces ? 1 : per_level * ((levels + kMostPlaces - 1) / kMostPlaces);
  for (size_t step = 0; step < all; step += every) places_.emplace_back().step = step;
  if (places_.back().step + 1 != all) places_.emplace_back().step = all - 1;
}

void ResidualProbe::asked(Ctx& ctx, const Tensor& x, double sigma, const Tensor& score) {
  const size_t here = evaluation_++;
  if (next_ == places_.size() || places_[next_].step != here) return;
  Place& place = places_[next_++];
  place.sigma = sigma;
  place.state = ctx.to_host(x);
  place.removed = ctx.to_host(score);
  for (double& value : place.removed) value *= sigma * sigma;
}

void ResidualProbe::finished(Ctx& ctx, const Samples& samples, int64_t rows) {
  const std::vector<double> end = ctx.to_host(samples.denoised);
  const size_t values = end.size() / static_cast<size_t>(samples.denoised.dim(0)) * static_cast<size_t>(rows);
  for (Place& place : places_) {
    for (size_t i = 0; i < values; ++i) {
      place.own_squares += place.removed[i] * place.removed[i];
      place.end_squares += (place.state[i] - end[i]) * (place.state[i] - end[i]);
    }
    if (mixture_)
      place.points.insert(place.points.end(), place.state.begin(), place.state.begin() + std::ptrdiff_t(values));
  }
  values_ += static_cast<double>(values);
  evaluation_ = next_ = 0;
}

ResidualCurve ResidualProbe::curve() const {
  ResidualCurve curve;
  curve.sampler = name(plan_.sampler);
  curve.n_sigma = plan_.n_sigma;
  const double eta = plan_.step_size / (plan_.sigmas.back() * plan_.sigmas.back());
  const std::vector<double> exact = plan_.sampler == SamplerKind::als
                                        ? annealed_langevin_spread(plan_.sigmas, eta, plan_.n_sigma)
                                        : consistent_spread(plan_.sigmas, eta);
  for (const Place& place : places_) {
    curve.step.push_back(place.step);
    curve.position.push_back(static_cast<double>(place.step) / plan_.n_sigma);
    curve.level.push_back(place.sigma);
    curve.closed_form.push_back(exact[place.step]);
    curve.own_estimate.push_back(std::sqrt(place.own_squares / values_));
    curve.to_end.push_back(std::sqrt(place.end_squares / values_));
    if (mixture_) curve.likeliest.push_back(likeliest_noise(place.points, *mixture_));
  }
  return curve;
}

std::string to_csv(const std::vector<ResidualCurve>& curves) {
  const bool likeliest = !curves.empty() && !curves.front().likeliest.empty();
  std::string text = fmt::format("sampler,n_sigma,step,position,level,closed_form,own_estimate,to_end{}\n",
                                 likeliest ? ",likeliest" : "");
  for (const ResidualCurve& curve : curves) {
    for (size_t i = 0; i < curve.step.size(); ++i) {
      text += fmt::format("{},{},{},{},{},{},{},{}", curve.sampler, curve.n_sigma, curve.step[i], curve.position[i],
                          curve.level[i], curve.closed_form[i], curve.own_estimate[i], curve.to_end[i]);
      text += likeliest ? fmt::format(",{}\n", curve.likeliest[i]) : "\n";
    }
  }
  return text;
}

LinePlot residual_plot(const std::vector<ResidualCurve>& curves) {
  LinePlot plot{.title = "Noise in the samples of this network",
                .x = levels_axis(),
                .y = {.label = "standard deviation", .logarithmic = true},
                .series = {}};
  for (const ResidualCurve& curve : curves) {
    plot.series.push_back({.label = label(curve), .x = curve.position, .y = curve.measured()});
  }
  if (curves.empty()) return plot;
  const ResidualCurve& first = curves.front();
  PlotSeries levels{.label = "the levels themselves", .marks = true, .line = false, .thickness = 2};
  for (size_t i = 0; i < first.step.size(); i += std::max<size_t>(1, first.step.size() / 24)) {
    levels.x.push_back(first.position[i]);
    levels.y.push_back(first.level[i]);
  }
  plot.series.push_back(std::move(levels));
  return plot;
}

LinePlot residual_ratio_plot(const std::vector<ResidualCurve>& curves) {
  LinePlot plot{.title = "Noise in the samples over the level at which the score is asked",
                .x = levels_axis(),
                .y = {.label = "noise / level", .logarithmic = true},
                .series = {}};
  for (const ResidualCurve& curve : curves) {
    plot.series.push_back({.label = label(curve), .x = curve.position, .y = over_level(curve, curve.measured())});
  }
  for (const ResidualCurve& curve : curves) {
    plot.series.push_back({.label = label(curve) + ", exact score of a point",
                           .x = curve.position,
                           .y = over_level(curve, curve.closed_form),
                           .thickness = 1.2});
  }
  return plot;
}

}  // namespace ascore::tools
