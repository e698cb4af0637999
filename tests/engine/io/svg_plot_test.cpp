// Plots as markup: well formed, every series there, curves where their values say.
#include "engine/io/svg_plot.hpp"

#include "engine/io/markup.hpp"
#include "engine/io/plot_scale.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/markup.hpp"

#include <cmath>
#include <cstdio>

using namespace ascore;

namespace {

std::string base64(std::string_view text) {
  return to_base64(std::as_bytes(std::span(text)));
}

/// The points of the first polyline behind `from`.
std::vector<std::pair<double, double>> polyline(const std::string& svg, size_t from = 0) {
  const std::string before = "points=\"";
  const size_t begin = svg.find(before, from) + before.size();
  std::vector<std::pair<double, double>> points;
  const std::string list = svg.substr(begin, svg.find('"', begin) - begin);
  double x = 0, y = 0;
  int taken = 0;
  for (const char* at = list.c_str(); std::sscanf(at, "%lf,%lf %n", &x, &y, &taken) == 2; at += taken) {
    points.emplace_back(x, y);
  }
  return points;
}

}  // namespace

TEST_CASE("base64 is that of RFC 4648", "[io]") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("text in markup reads back as it was", "[io]") {
  const std::string wild = "a < b && c > \"d\" 'e' <script>";
  const test::Markup markup =
      test::read_markup("<p title=\"" + escape_markup(wild) + "\">" + escape_markup(wild) + "</p>");
  CHECK(markup.text == wild);
  CHECK(markup.elements.size() == 1);
  CHECK(escape_markup(std::string("a\0b\x1b", 4)) == "a b ");
}

TEST_CASE("a plot becomes well-formed markup with every series at its place", "[io]") {
  LinePlot plot{.title = "a <plot> & \"more\"",
                .x = {.label = "x", .low = 0, .high = 10},
                .y = {.label = "y", .logarithmic = true, .low = 1, .high = 100},
                .series = {{.label = "up & down", .x = {0, 5, 10}, .y = {1, 10, 100}},
                           {.label = "broken", .x = {0, 2, 4, 6, 8}, .y = {2, 3, NAN, 4, 5}, .marks = true},
                           {.label = "", .x = {1, 2}, .y = {-1, 0}}},
                .width = 400,
                .height = 300};
  const std::string svg = svg_plot(plot);
  const test::Markup markup = test::read_markup(svg);
  CHECK(markup.elements.at("svg") == 1);
  CHECK(markup.elements.at("g") == 3);
  CHECK(markup.elements.at("polyline") == 3);  // the value that is none breaks its curve; the last curve is not shown
  CHECK(markup.elements.at("circle") == 4);
  CHECK(markup.text.find("up & down") != std::string::npos);
  // geometric values on a logarithmic axis lie on a straight line, from corner to corner, y upwards
  const auto points = polyline(svg);
  REQUIRE(points.size() == 3);
  CHECK(points[1].first == Approx((points[0].first + points[2].first) / 2).margin(0.11));
  CHECK(points[1].second == Approx((points[0].second + points[2].second) / 2).margin(0.11));
  CHECK(points[0].second > points[2].second + 150);
  CHECK(points[2].first > points[0].first + 250);
  CHECK(points[2].first <= 400);
  CHECK(points[0].second <= 300);

  const test::Markup legend = test::read_markup(svg_plot_legend(plot));
  CHECK(legend.text.find("broken") != std::string::npos);
  CHECK(legend.elements.at("span") == 4);  // two labels: the third series has none

  plot.series[0].x.pop_back();
  CHECK_THROWS_AS(svg_plot(plot), ShapeError);
  CHECK_THROWS_AS(draw_line_plot(plot), ShapeError);
}

TEST_CASE("ticks are round numbers, as many as asked for", "[io]") {
  LinePlot plot{.x = {.low = 0, .high = 2500}, .y = {.logarithmic = true, .low = 1e-3, .high = 50}};
  CHECK(PlotScale::of_x(plot).ticks(5) == std::vector<double>{0, 500, 1000, 1500, 2000, 2500});
  const std::vector<double> powers = PlotScale::of_y(plot).ticks(5);
  REQUIRE(powers.size() == 5);
  for (size_t i = 0; i < 5; ++i) CHECK(powers[i] == Approx(std::pow(10.0, static_cast<double>(i) - 3)));
  CHECK(tick_text(0.05) == "0.05");
  CHECK(tick_text(2500) == "2500");
  CHECK(tick_text(20000) == "20k");
  CHECK(tick_text(152500) == "152.5k");
  CHECK(tick_text(3e7) == "30M");
  CHECK(tick_text(-1e-15) == "0");
  plot.y.low = -1;
  CHECK_THROWS_AS(PlotScale::of_y(plot), ConfigError);
}
