#pragma once

#include "engine/io/canvas.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ascore {

/// One curve. Values that are not finite (or, on a logarithmic axis, not positive) interrupt it.
struct PlotSeries {
  std::string label = {};  ///< in the legend; empty: not listed there
  std::vector<double> x = {}, y = {};
  bool marks = false;      ///< a dot at every value
  bool line = true;        ///< values are joined
  double thickness = 2.5;  ///< pixels
};

struct PlotAxis {
  std::string label = {};
  bool logarithmic = false;
  std::optional<double> low = {}, high = {};  ///< absent: as the values need
};

/// Curves over one another, in colours that people who see few colours can tell apart.
struct LinePlot {
  std::string title = {};
  PlotAxis x = {}, y = {};
  std::vector<PlotSeries> series = {};
  int64_t width = 1200, height = 780;  ///< pixels
};

/// u8 [height,width,3]. Throws ShapeError for a series whose x and y differ in number, ConfigError for an axis that is
/// empty (low >= high, or a limit that a logarithmic axis does not have).
HostTensor draw_line_plot(const LinePlot& plot);

}  // namespace ascore
