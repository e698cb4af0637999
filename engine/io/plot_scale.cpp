#include "engine/io/plot_scale.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

PlotScale PlotScale::of_x(const LinePlot& plot) {
  return {plot.x, plot, &PlotSeries::x};
}

PlotScale PlotScale::of_y(const LinePlot& plot) {
  return {plot.y, plot, &PlotSeries::y};
}

PlotScale::PlotScale(const PlotAxis& axis, const LinePlot& plot, std::vector<double> PlotSeries::*column)
    : axis_(axis) {
  double low = INFINITY, high = -INFINITY;
  for (const PlotSeries& series : plot.series) {
    for (const double value : series.*column) {
      if (!shows(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(low <= high)) low = high = 1;  // nothing to show: an empty frame around 1
  widen(low, high);
  low_ = axis.low.value_or(low);
  high_ = axis.high.value_or(high);
  if (!(low_ < high_) || !shows(low_) || !shows(high_)) {
    throw ConfigError(fmt::format("a plot's axis '{}' cannot reach from {} to {}", axis.label, low_, high_));
  }
}

bool PlotScale::shows(double value) const {
  return std::isfinite(value) && (!axis_.logarithmic || value > 0);
}

double PlotScale::place(double value) const {
  return (warp(value) - warp(low_)) / (warp(high_) - warp(low_));
}

bool PlotScale::holds(double value) const {
  return shows(value) && place(value) >= 0 && place(value) <= 1;
}

std::vector<double> PlotScale::ticks(double most) const {
  std::vector<double> result;
  if (axis_.logarithmic && high_ / low_ >= 4 && high_ / low_ < 100) {
    for (double power = std::pow(10.0, std::floor(std::log10(low_))); power <= high_; power *= 10) {
      for (const double tick : {power, 2 * power, 5 * power}) {
        if (tick >= low_ && tick <= high_) result.push_back(tick);
      }
    }
    return result;
  }
  if (axis_.logarithmic && high_ / low_ >= 4) {
    const int every = std::max(1, static_cast<int>(std::log10(high_ / low_) / most));
    for (int power = static_cast<int>(std::ceil(std::log10(low_) - 1e-9)); std::pow(10.0, power) <= high_ * (1 + 1e-9);
         power += every) {
      result.push_back(std::pow(10.0, power));
    }
    return result;
  }
  const double raw = (high_ - low_) / most, power = std::pow(10, std::floor(std::log10(raw)));
  const double step = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
  for (double k = std::ceil(low_ / step - 1e-9); k * step <= high_ + 1e-9 * step; ++k) result.push_back(k * step);
  return result;
}

double PlotScale::warp(double value) const {
  return axis_.logarithmic ? std::log(value) : value;
}

/// Curves do not touch the frame.
void PlotScale::widen(double& low, double& high) const {
  if (axis_.logarithmic) {
    const double factor = low < high ? std::pow(high / low, 0.03) : 2;
    low /= factor;
    high *= factor;
    return;
  }
  const double margin = low < high ? 0.03 * (high - low) : std::max(1.0, std::abs(low)) / 2;
  low -= margin;
  high += margin;
}

void require_pairs(const LinePlot& plot) {
  for (const PlotSeries& series : plot.series) {
    if (series.x.size() == series.y.size()) continue;
    throw ShapeError(
        fmt::format("a plot's series '{}' has {} x and {} y", series.label, series.x.size(), series.y.size()));
  }
}

std::string tick_text(double value) {
  if (std::abs(value) < 1e-12) return "0";
  const auto thousands = [&](double unit) { return std::abs(value) >= 10 * unit && std::fmod(value, unit / 2) == 0; };
  if (thousands(1e6)) return fmt::format("{:.6g}M", value / 1e6);
  if (thousands(1e3)) return fmt::format("{:.6g}k", value / 1e3);
  return fmt::format("{:.6g}", value);
}

Color series_color(size_t series) {
  static constexpr std::array<Color, kSeriesColors> kPalette{{{0, 114, 178},
                                                              {213, 94, 0},
                                                              {0, 158, 115},
                                                              {204, 121, 167},
                                                              {86, 180, 233},
                                                              {230, 159, 0},
                                                              {90, 90, 90},
                                                              {120, 80, 30},
                                                              {100, 60, 170},
                                                              {0, 0, 0}}};
  return kPalette[series % kSeriesColors];
}

}  // namespace ascore
