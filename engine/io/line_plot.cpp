#include "engine/io/line_plot.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr Color kInk{40, 40, 40}, kGrid{226, 226, 226};
// Okabe and Ito's palette, told apart by nearly everybody, then three more for crowded plots.
constexpr std::array<Color, 10> kPalette{{{0, 114, 178},
                                          {213, 94, 0},
                                          {0, 158, 115},
                                          {204, 121, 167},
                                          {86, 180, 233},
                                          {230, 159, 0},
                                          {90, 90, 90},
                                          {120, 80, 30},
                                          {100, 60, 170},
                                          {0, 0, 0}}};
constexpr double kTextSize = 1.8, kTitleSize = 2.2;
constexpr double kGap = 12;  // pixels between texts and what they stand beside

struct Frame {
  double left, top, right, bottom;
};

/// An axis with its limits known: where a value lies between them.
class Scale {
 public:
  Scale(const PlotAxis& axis, const std::vector<const std::vector<double>*>& values) : axis_(axis) {
    double low = INFINITY, high = -INFINITY;
    for (const std::vector<double>* list : values) {
      for (const double value : *list) {
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

  bool shows(double value) const { return std::isfinite(value) && (!axis_.logarithmic || value > 0); }
  /// 0 at the lower end, 1 at the upper one.
  double place(double value) const { return (warp(value) - warp(low_)) / (warp(high_) - warp(low_)); }

  /// Round values between the limits: powers of ten, or multiples of 1, 2 or 5 times one.
  std::vector<double> ticks() const {
    std::vector<double> result;
    if (axis_.logarithmic && std::log10(high_ / low_) >= 2) {
      const int every = std::max(1, static_cast<int>(std::log10(high_ / low_) / 8));
      for (int power = static_cast<int>(std::ceil(std::log10(low_) - 1e-9));
           std::pow(10.0, power) <= high_ * (1 + 1e-9); power += every) {
        result.push_back(std::pow(10.0, power));
      }
      return result;
    }
    constexpr double kMost = 8;
    const double raw = (high_ - low_) / kMost, power = std::pow(10, std::floor(std::log10(raw)));
    const double step = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
    for (double k = std::ceil(low_ / step - 1e-9); k * step <= high_ + 1e-9 * step; ++k) result.push_back(k * step);
    return result;
  }

 private:
  double warp(double value) const { return axis_.logarithmic ? std::log(value) : value; }
  /// Curves do not touch the frame.
  void widen(double& low, double& high) const {
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

  const PlotAxis& axis_;
  double low_ = 0, high_ = 1;
};

/// The lines of the legend: series by series, as many beside one another as fit.
std::vector<std::vector<size_t>> legend_rows(const LinePlot& plot, double width) {
  std::vector<std::vector<size_t>> rows;
  double used = INFINITY;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    if (plot.series[i].label.empty()) continue;
    const double wanted = text_width(plot.series[i].label, kTextSize) + 70;
    if (used + wanted > width) {
      rows.emplace_back();
      used = 0;
    }
    rows.back().push_back(i);
    used += wanted;
  }
  return rows;
}

std::string tick_text(double value) {
  return fmt::format("{:.6g}", std::abs(value) < 1e-12 ? 0.0 : value);
}

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot)
      : plot_(plot),
        canvas_(plot.width, plot.height),
        x_(plot.x, columns(&PlotSeries::x)),
        y_(plot.y, columns(&PlotSeries::y)) {}

  HostTensor draw() {
    frame_.top = heading();
    frame_.bottom = static_cast<double>(plot_.height) - 2 * text_height(kTextSize) - 3 * kGap;
    frame_.left = 2 * kGap + text_height(kTextSize) + widest_tick() + kGap;
    frame_.right = static_cast<double>(plot_.width) - 3 * kGap;
    axes();
    for (size_t i = 0; i < plot_.series.size(); ++i) curve(plot_.series[i], color(i));
    return canvas_.picture();
  }

 private:
  static Color color(size_t series) { return kPalette[series % kPalette.size()]; }
  double to_x(double value) const { return frame_.left + x_.place(value) * (frame_.right - frame_.left); }
  double to_y(double value) const { return frame_.bottom - y_.place(value) * (frame_.bottom - frame_.top); }

  std::vector<const std::vector<double>*> columns(std::vector<double> PlotSeries::*column) const {
    std::vector<const std::vector<double>*> result;
    for (const PlotSeries& series : plot_.series) result.push_back(&(series.*column));
    return result;
  }

  double widest_tick() const {
    double widest = 0;
    for (const double tick : y_.ticks()) widest = std::max(widest, text_width(tick_text(tick), kTextSize));
    return widest;
  }

  /// Title and legend; returns where they end.
  double heading() {
    double y = kGap;
    if (!plot_.title.empty()) {
      canvas_.text(2 * kGap, y, plot_.title, kTitleSize, kInk);
      y += text_height(kTitleSize) + kGap;
    }
    for (const std::vector<size_t>& row : legend_rows(plot_, static_cast<double>(plot_.width) - 4 * kGap)) {
      double x = 2 * kGap;
      for (const size_t i : row) {
        const double middle = y + text_height(kTextSize) / 2;
        canvas_.line(x, middle, x + 28, middle, 5, color(i));
        canvas_.text(x + 38, y, plot_.series[i].label, kTextSize, kInk);
        x += text_width(plot_.series[i].label, kTextSize) + 70;
      }
      y += text_height(kTextSize) + kGap;
    }
    return y + kGap / 2;
  }

  void axes() {
    const double foot = frame_.bottom + kGap / 2;
    for (const double tick : x_.ticks()) {
      const double x = to_x(tick);
      if (x < frame_.left - 0.5 || x > frame_.right + 0.5) continue;
      canvas_.line(x, frame_.top, x, frame_.bottom, 1, kGrid);
      const std::string words = tick_text(tick);
      canvas_.text(x - text_width(words, kTextSize) / 2, foot, words, kTextSize, kInk);
    }
    for (const double tick : y_.ticks()) {
      const double y = to_y(tick);
      if (y < frame_.top - 0.5 || y > frame_.bottom + 0.5) continue;
      canvas_.line(frame_.left, y, frame_.right, y, 1, kGrid);
      const std::string words = tick_text(tick);
      canvas_.text(frame_.left - kGap - text_width(words, kTextSize), y - text_height(kTextSize) / 2 + 1, words,
                   kTextSize, kInk);
    }
    canvas_.line(frame_.left, frame_.top, frame_.left, frame_.bottom, 1.5, kInk);
    canvas_.line(frame_.left, frame_.bottom, frame_.right, frame_.bottom, 1.5, kInk);
    const double middle = (frame_.left + frame_.right) / 2;
    canvas_.text(middle - text_width(plot_.x.label, kTextSize) / 2, foot + text_height(kTextSize) + kGap / 2,
                 plot_.x.label, kTextSize, kInk);
    const double half = text_width(plot_.y.label, kTextSize) / 2;
    canvas_.upward_text(kGap, (frame_.top + frame_.bottom) / 2 + half, plot_.y.label, kTextSize, kInk);
  }

  void curve(const PlotSeries& series, const Color& ink) {
    if (series.x.size() != series.y.size()) {
      throw ShapeError(
          fmt::format("a plot's series '{}' has {} x and {} y", series.label, series.x.size(), series.y.size()));
    }
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!inside(series, i)) continue;
      const double x = to_x(series.x[i]), y = to_y(series.y[i]);
      if (series.marks) canvas_.dot(x, y, series.thickness + 2, ink);
      if (series.line && i > 0 && inside(series, i - 1)) {
        canvas_.line(to_x(series.x[i - 1]), to_y(series.y[i - 1]), x, y, series.thickness, ink);
      }
    }
  }

  bool inside(const PlotSeries& series, size_t i) const {
    if (!x_.shows(series.x[i]) || !y_.shows(series.y[i])) return false;
    const double x = x_.place(series.x[i]), y = y_.place(series.y[i]);
    return x >= 0 && x <= 1 && y >= 0 && y <= 1;
  }

  const LinePlot& plot_;
  Canvas canvas_;
  Scale x_, y_;
  Frame frame_{};
};

}  // namespace

HostTensor draw_line_plot(const LinePlot& plot) {
  return Drawing(plot).draw();
}

}  // namespace ascore
