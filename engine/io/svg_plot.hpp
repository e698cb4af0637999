#pragma once

#include "engine/io/line_plot.hpp"

#include <string>

namespace ascore {

/// A plot as an <svg> element to stand in an HTML page. Its size is plot.width x plot.height in units of the page's
/// text; it grows and shrinks with its place. Colours are the page's: see svg_plot_style(). Title and legend are not in
/// it. Throws as draw_line_plot.
std::string svg_plot(const LinePlot& plot);

/// The labels of its series with their colours, as a <p> element.
std::string svg_plot_legend(const LinePlot& plot);

/// The rules of the page's style sheet that both need, for light and dark ground. They take the variables --ink
/// (texts),
/// --faint (axes) and --line (grid) from the page.
std::string svg_plot_style();

}  // namespace ascore
