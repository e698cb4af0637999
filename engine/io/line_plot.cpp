#include "engine/io/line_plot.hpp"

#include "engine/io/plot_scale.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace ascore {

namespace {

constexpr Color kInk{40, 40, 40}, kGrid{226, 226, 226};
constexpr double kTextSize = 1.8, kTitleSize = 2.2;
constexpr double kGap = 12;  // pixels between texts and what they stand beside

struct Frame {
  double left, top, right, bottom;
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

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot)
      : plot_(plot), canvas_(plot.width, plot.height), x_(PlotScale::of_x(plot)), y_(PlotScale::of_y(plot)) {
    require_pairs(plot);
  }

  HostTensor draw() {
    frame_.top = heading();
    frame_.bottom = static_cast<double>(plot_.height) - 2 * text_height(kTextSize) - 3 * kGap;
    frame_.left = 2 * kGap + text_height(kTextSize) + widest_tick() + kGap;
    frame_.right = static_cast<double>(plot_.width) - 3 * kGap;
    axes();
    for (size_t i = 0; i < plot_.series.size(); ++i) curve(plot_.series[i], series_color(i));
    return canvas_.picture();
  }

 private:
  double to_x(double value) const { return frame_.left + x_.place(value) * (frame_.right - frame_.left); }
  double to_y(double value) const { return frame_.bottom - y_.place(value) * (frame_.bottom - frame_.top); }

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
        canvas_.line(x, middle, x + 28, middle, 5, series_color(i));
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
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!inside(series, i)) continue;
      const double x = to_x(series.x[i]), y = to_y(series.y[i]);
      if (series.marks) canvas_.dot(x, y, series.thickness + 2, ink);
      if (series.line && i > 0 && inside(series, i - 1)) {
        canvas_.line(to_x(series.x[i - 1]), to_y(series.y[i - 1]), x, y, series.thickness, ink);
      }
    }
  }

  bool inside(const PlotSeries& series, size_t i) const { return x_.holds(series.x[i]) && y_.holds(series.y[i]); }

  const LinePlot& plot_;
  Canvas canvas_;
  PlotScale x_, y_;
  Frame frame_{};
};

}  // namespace

HostTensor draw_line_plot(const LinePlot& plot) {
  return Drawing(plot).draw();
}

}  // namespace ascore
