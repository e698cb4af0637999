// The HTML page of a memory profile.
#include "engine/io/markup.hpp"
#include "tools/page/html_page.hpp"
#include "tools/profile/byte_size.hpp"
#include "tools/profile/kind_colours.hpp"
#include "tools/profile/memory_profile.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

constexpr std::string_view kStyle = R"(svg { display: block; width: 100%; height: auto; }
td.bar { width: 35%; }
td.name { overflow-wrap: anywhere; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.bar div { height: .8em; border-radius: 2px; background: #356ab0; }
)";

std::string hex(size_t kind) {
  const auto [red, green, blue] = colour_of(kind);
  return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue);
}

std::string shown(size_t bytes) {
  return shown_bytes(static_cast<double>(bytes));
}

/// Areas on top of each other, one per category; the peak as a line.
std::string chart(const MemoryRun& run) {
  constexpr double kWidth = 900, kHeight = 260;
  const std::vector<BytesByKind> moments = thinned(run.timeline, 600);
  if (moments.size() < 2 || run.peak_bytes == 0) return "";
  const double x_step = kWidth / static_cast<double>(moments.size() - 1);
  const double scale = kHeight / static_cast<double>(run.peak_bytes);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Live bytes over the allocations of the run\">\n", kWidth,
      kHeight);
  std::vector<double> bottom(moments.size(), 0);
  for (size_t kind = 0; kind < static_cast<size_t>(kMemoryKinds); ++kind) {
    std::string upper, lower;
    for (size_t i = 0; i < moments.size(); ++i) {
      const double x = x_step * static_cast<double>(i);
      lower = fmt::format("{:.1f},{:.1f} ", x, kHeight - bottom[i] * scale) + lower;
      bottom[i] += static_cast<double>(moments[i][kind]);
      upper += fmt::format("{:.1f},{:.1f} ", x, kHeight - bottom[i] * scale);
    }
    svg += fmt::format("<polygon fill=\"{}\" points=\"{}{}\"><title>{}</title></polygon>\n", hex(kind), upper, lower,
                       name(static_cast<MemoryKind>(kind)));
  }
  return svg + "</svg>\n";
}

std::string facts(const MemoryProfile& profile) {
  HtmlFacts rows{{"peak", shown(profile.run.peak_bytes)},
                 {fmt::format("per image, between batches of {} and {}", profile.other_batch, profile.batch),
                  shown_bytes(profile.bytes_per_image)},
                 {"parameters", fmt::format("{}", profile.run.parameters)}};
  if (profile.limit && profile.largest_batch) {
    rows.emplace_back(fmt::format("largest batch in {} ({})", shown(profile.limit->bytes), profile.limit->what),
                      fmt::format("{}", *profile.largest_batch));
  }
  if (!profile.predicted) rows.emplace_back("last step", fmt::format("{:.3g} s", profile.run.seconds_per_step));
  return html_facts(rows);
}

std::string categories(const MemoryRun& run) {
  std::string rows;
  for (size_t kind = 0; kind < static_cast<size_t>(kMemoryKinds); ++kind) {
    rows += fmt::format(
        "<tr><td><span class=\"key\" style=\"background:{}\"></span>{}</td><td class=\"number\">{}</td></tr>\n",
        hex(kind), name(static_cast<MemoryKind>(kind)), shown(run.by_kind[kind]));
  }
  return "<table>\n" + rows + "</table>\n";
}

std::string modules(const MemoryRun& run) {
  std::string rows;
  const auto largest = largest_modules(run, 40);
  for (const auto& [path, bytes] : largest) {
    const double share = static_cast<double>(bytes) / static_cast<double>(std::max<size_t>(largest.front().second, 1));
    rows += fmt::format(
        "<tr><td class=\"name\">{}</td><td class=\"number\">{}</td><td class=\"bar\"><div "
        "style=\"width:{:.1f}%\"></div></td></tr>\n",
        escape_markup(path), shown(bytes), 100 * share);
  }
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace

std::string to_html(const MemoryProfile& profile) {
  std::string page =
      fmt::format("<h1>{}</h1>\n<p>{} {}, batch {}, {} training steps, {}</p>\n", escape_markup(profile.recipe),
                  escape_markup(profile.device), escape_markup(profile.precision), profile.batch, profile.steps,
                  profile.predicted ? "predicted from shapes" : "measured");
  page += facts(profile);
  page += "<h2>Live bytes</h2>\n<p>Over all allocations and releases, in order.</p>\n" + chart(profile.run);
  page += "<h2>At the peak, by category</h2>\n" + categories(profile.run);
  page += "<h2>At the peak, by module</h2>\n" + modules(profile.run);
  return html_page("Memory profile", kStyle, page);
}

}  // namespace ascore::tools
