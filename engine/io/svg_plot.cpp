#include "engine/io/svg_plot.hpp"

#include "engine/io/markup.hpp"
#include "engine/io/plot_scale.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr double kLetter = 7.4, kLine = 15;  // width of a digit and height of a line at 13 pixels
constexpr double kGap = 6;
constexpr double kTicks = 5;

class SvgDrawing {
 public:
  explicit SvgDrawing(const LinePlot& plot) : plot_(plot), x_(PlotScale::of_x(plot)), y_(PlotScale::of_y(plot)) {
    require_pairs(plot);
    size_t widest = 0;
    for (const double tick : y_.ticks(kTicks)) widest = std::max(widest, tick_text(tick).size());
    left_ = kLine + 2 * kGap + kLetter * static_cast<double>(widest);
    right_ = static_cast<double>(plot.width) - 2 * kGap;
    top_ = kGap;
    bottom_ = static_cast<double>(plot.height) - 2 * kLine - 2 * kGap;
  }

  std::string draw() {
    svg_ = fmt::format("<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", plot_.width,
                       plot_.height, escape_markup(plot_.title));
    axes();
    for (size_t i = 0; i < plot_.series.size(); ++i) series(i);
    return svg_ + "</svg>\n";
  }

 private:
  double to_x(double value) const { return left_ + x_.place(value) * (right_ - left_); }
  double to_y(double value) const { return bottom_ - y_.place(value) * (bottom_ - top_); }

  void line(std::string_view kind, double x0, double y0, double x1, double y1) {
    svg_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x0, y0,
                        x1, y1);
  }
  void text(double x, double y, std::string_view anchor, std::string_view words, std::string_view more = "") {
    svg_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                        escape_markup(words));
  }

  void axes() {
    for (const double tick : x_.ticks(kTicks)) {
      if (!x_.holds(tick)) continue;
      line("grid", to_x(tick), top_, to_x(tick), bottom_);
      text(to_x(tick), bottom_ + kLine, "middle", tick_text(tick));
    }
    for (const double tick : y_.ticks(kTicks)) {
      if (!y_.holds(tick)) continue;
      line("grid", left_, to_y(tick), right_, to_y(tick));
      text(left_ - kGap, to_y(tick) + kLine / 3, "end", tick_text(tick));
    }
    line("axis", left_, top_, left_, bottom_);
    line("axis", left_, bottom_, right_, bottom_);
    text((left_ + right_) / 2, bottom_ + 2 * kLine + kGap / 2, "middle", plot_.x.label);
    const double x = kLine - kGap / 2, y = (top_ + bottom_) / 2;
    text(x, y, "middle", plot_.y.label, fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", x, y));
  }

  void series(size_t place) {
    const PlotSeries& series = plot_.series[place];
    svg_ += fmt::format("<g class=\"s{}\">", place % kSeriesColors);
    if (!series.label.empty()) svg_ += fmt::format("<title>{}</title>", escape_markup(series.label));
    svg_ += '\n';
    if (series.line) curve(series);
    if (series.marks) marks(series);
    svg_ += "</g>\n";
  }

  /// Runs of values that are shown, a polyline each.
  void curve(const PlotSeries& series) {
    std::string run;
    const auto end = [&] {
      if (!run.empty()) svg_ += fmt::format("<polyline class=\"curve\" points=\"{}\"/>\n", run);
      run.clear();
    };
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (holds(series, i))
        run += fmt::format("{:.1f},{:.1f} ", to_x(series.x[i]), to_y(series.y[i]));
      else
        end();
    }
    end();
  }

  void marks(const PlotSeries& series) {
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!holds(series, i)) continue;
      svg_ += fmt::format("<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>\n", to_x(series.x[i]),
                          to_y(series.y[i]));
    }
  }

  bool holds(const PlotSeries& series, size_t i) const { return x_.holds(series.x[i]) && y_.holds(series.y[i]); }

  const LinePlot& plot_;
  PlotScale x_, y_;
  double left_ = 0, top_ = 0, right_ = 0, bottom_ = 0;
  std::string svg_;
};

}  // namespace

std::string svg_plot(const LinePlot& plot) {
  return SvgDrawing(plot).draw();
}

std::string svg_plot_legend(const LinePlot& plot) {
  std::string legend = "<p class=\"legend\">";
  for (size_t i = 0; i < plot.series.size(); ++i) {
    if (plot.series[i].label.empty()) continue;
    legend += fmt::format("<span class=\"label\"><span class=\"stroke s{}\"></span>{}</span>\n", i % kSeriesColors,
                          escape_markup(plot.series[i].label));
  }
  return legend + "</p>\n";
}

std::string svg_plot_style() {
  std::string style = R"(svg.plot { display: block; width: 100%; height: auto; }
svg.plot text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg.plot .grid { stroke: var(--line); }
svg.plot .axis { stroke: var(--faint); }
svg.plot .curve { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; }
svg.plot .mark { fill: currentColor; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .2rem 0 0; font-size: .9rem; }
.legend .stroke { display: inline-block; width: 1.2em; height: .25em; margin-right: .4em; vertical-align: middle;
                  background: currentColor; }
.legend .label { color: var(--ink); }
)";
  for (size_t i = 0; i < kSeriesColors; ++i) {
    const auto [red, green, blue] = series_color(i);
    style += fmt::format(".s{} {{ color: #{:02x}{:02x}{:02x}; }}\n", i, red, green, blue);
  }
  // The palette's dark colours, lightened for dark ground.
  static constexpr std::array<std::string_view, kSeriesColors> kOnDark{
      "#4ea8e0", "#f08a3c", "#2fc795", "#dd9cc0", "#8accf2", "#f0b83c", "#b5b5b5", "#c99a5b", "#ac8ce8", "#ffffff"};
  style += "@media (prefers-color-scheme: dark) {\n";
  for (size_t i = 0; i < kSeriesColors; ++i) style += fmt::format("  .s{} {{ color: {}; }}\n", i, kOnDark[i]);
  return style + "}\n";
}

}  // namespace ascore
