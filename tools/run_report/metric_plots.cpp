#include "tools/run_report/metric_plots.hpp"

#include "engine/training/noise_levels.hpp"
#include "tools/configs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

constexpr size_t kMostValues = 300;  // of a curve: more than a page's width in pixels shows nothing
constexpr int kMostParts = 10;       // into which held-out losses are divided by noise level

/// All that metrics.jsonl tells of a key, by step.
PlotSeries series_of(const RunRecord& record, const std::string& key, std::string label) {
  PlotSeries series{.label = std::move(label)};
  for (const auto& line : record.lines) {
    const auto step = line.find("step"), value = line.find(key);
    if (step == line.end() || value == line.end()) continue;
    series.x.push_back(step->second);
    series.y.push_back(value->second);
  }
  return series;
}

/// Means of as many neighbouring values as bring a curve down to kMostValues.
PlotSeries thinned(const PlotSeries& series) {
  const size_t size = series.x.size(), group = (size + kMostValues - 1) / kMostValues;
  if (group <= 1) return series;
  PlotSeries result = series;
  result.x.clear();
  result.y.clear();
  for (size_t begin = 0; begin < size; begin += group) {
    const size_t end = std::min(size, begin + group);
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) {
      x += series.x[i];
      y += series.y[i];
    }
    result.x.push_back(x / static_cast<double>(end - begin));
    result.y.push_back(y / static_cast<double>(end - begin));
  }
  return result;
}

/// Positive values that spread over more than a factor of 20 are shown on a logarithmic axis.
bool wants_logarithm(const std::vector<PlotSeries>& all) {
  double low = INFINITY, high = 0;
  for (const PlotSeries& series : all) {
    for (const double value : series.y) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  return low > 0 && high > 20 * low;
}

/// A plot of those of the series that have values; nothing if none has.
void add_plot(std::vector<LinePlot>& plots, std::string title, std::string label, std::vector<PlotSeries> series) {
  std::erase_if(series, [](const PlotSeries& one) { return one.x.empty(); });
  if (series.empty()) return;
  for (PlotSeries& one : series) {
    one = thinned(one);
    one.marks = one.x.size() < 40;
  }
  LinePlot plot{.title = std::move(title),
                .x = {.label = "step"},
                .y = {.label = std::move(label), .logarithmic = wants_logarithm(series)},
                .series = std::move(series),
                .width = 480,
                .height = 300};
  plots.push_back(std::move(plot));
}

/// The noise levels of part 1, 2, ... of the held-out loss: "sigma 50 to 20".
std::string part_label(const std::vector<double>& sigmas, int part) {
  const auto parts = std::min<size_t>(kMostParts, sigmas.size());
  std::optional<double> first, last;
  for (size_t i = 0; i < sigmas.size(); ++i) {
    if (i * parts / sigmas.size() + 1 != static_cast<size_t>(part)) continue;
    if (!first) first = sigmas[i];
    last = sigmas[i];
  }
  if (!first) return fmt::format("part {}", part);
  return *first == *last ? fmt::format("sigma {:.3g}", *first) : fmt::format("sigma {:.3g} to {:.3g}", *first, *last);
}

}  // namespace

std::vector<LinePlot> metric_plots(const RunRecord& record) {
  std::vector<LinePlot> plots;
  std::vector<PlotSeries> losses{series_of(record, "loss", record.recipe.has_critic ? "total" : "training")};
  if (record.recipe.has_critic) losses.push_back(series_of(record, "dsm", "score matching"));
  losses.push_back(series_of(record, "held_out", "held out"));
  add_plot(plots, record.recipe.has_classifier ? "Cross-entropy" : "Loss of the score network", "loss",
           std::move(losses));
  add_plot(plots, "Accuracy", "share found", {series_of(record, "held_out_accuracy", "held out")});

  std::vector<PlotSeries> parts;
  const std::vector<double> sigmas = noise_levels(noise_config(record.recipe));
  for (int part = 1; part <= kMostParts; ++part) {
    parts.push_back(series_of(record, fmt::format("held_out_{}", part), part_label(sigmas, part)));
  }
  add_plot(plots, "Held-out loss by noise level", "loss", std::move(parts));
  add_plot(plots, "Losses of the game", "loss",
           {series_of(record, "critic", "critic"), series_of(record, "generator", "score network")});
  add_plot(plots, "Throughput", "samples per second", {series_of(record, "samples_per_second", "")});
  return plots;
}

std::vector<MetricSummary> metric_summaries(const RunRecord& record) {
  static constexpr std::pair<const char*, const char*> kKeys[] = {
      {"loss", "loss"},           {"dsm", "score matching"}, {"generator", "game, score network"},
      {"critic", "game, critic"}, {"held_out", "held out"},  {"held_out_accuracy", "accuracy, held out"}};
  std::vector<MetricSummary> summaries;
  for (const auto& [key, words] : kKeys) {
    const PlotSeries all = series_of(record, key, "");
    if (all.y.empty()) continue;
    const auto least = std::ranges::min_element(all.y);
    summaries.push_back({.name = words,
                         .first = all.y.front(),
                         .least = *least,
                         .last = all.y.back(),
                         .least_step = static_cast<int64_t>(all.x[static_cast<size_t>(least - all.y.begin())])});
  }
  return summaries;
}

double last_metric(const RunRecord& record, const std::string& key) {
  const PlotSeries all = series_of(record, key, "");
  return all.y.empty() ? std::numeric_limits<double>::quiet_NaN() : all.y.back();
}

}  // namespace ascore::tools
