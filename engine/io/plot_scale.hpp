#pragma once

#include "engine/io/line_plot.hpp"

#include <array>
#include <string>
#include <vector>

namespace ascore {

/// An axis of a plot with its limits known: where a value lies between them, and which values are written beside it.
class PlotScale {
 public:
  /// Of a plot's axis, as wide as all its series need. The plot outlives it. Throws ConfigError for an axis that is
  /// empty.
  static PlotScale of_x(const LinePlot& plot);
  static PlotScale of_y(const LinePlot& plot);

  /// Finite, and on a logarithmic axis positive.
  bool shows(double value) const;
  /// 0 at the lower end, 1 at the upper one.
  double place(double value) const;
  /// Shown, and between the limits.
  bool holds(double value) const;
  /// About `most` round values between the limits: powers of ten, 1, 2 and 5 times them, or multiples of one of these.
  std::vector<double> ticks(double most = 8) const;

 private:
  PlotScale(const PlotAxis& axis, const LinePlot& plot, std::vector<double> PlotSeries::*column);
  double warp(double value) const;
  void widen(double& low, double& high) const;

  const PlotAxis& axis_;
  double low_ = 0, high_ = 1;
};

/// Throws ShapeError for a series whose x and y differ in number.
void require_pairs(const LinePlot& plot);

/// "0.05", "250", "20k", "3M".
std::string tick_text(double value);

/// The colour of a plot's series by its place: Okabe and Ito's palette, told apart by nearly everybody, then three more
/// for crowded plots.
Color series_color(size_t series);
inline constexpr size_t kSeriesColors = 10;

}  // namespace ascore
