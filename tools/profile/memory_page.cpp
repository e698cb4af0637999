// The HTML page of a memory profile.
#include "tools/profile/byte_size.hpp"
#include "tools/profile/kind_colours.hpp"
#include "tools/profile/memory_profile.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Memory profile</title>
<style>
:root { --ground: #ffffff; --ink: #1c2026; --faint: #626a75; --line: #d9dde3; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --ink: #e6e8eb; --faint: #9aa3ae; --line: #343a42; }
}
body { margin: 0 auto; padding: 1.2rem; max-width: 60rem; background: var(--ground); color: var(--ink);
       font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p { margin: 0 0 .6rem; color: var(--faint); }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); font-weight: normal; }
td.number { text-align: right; white-space: nowrap; }
td.bar { width: 35%; }
td.name { overflow-wrap: anywhere; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.bar div { height: .8em; border-radius: 2px; background: #356ab0; }
</style>
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

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

std::string fact(const std::string& key, const std::string& value) {
  return fmt::format("<tr><td>{}</td><td class=\"number\">{}</td></tr>\n", escaped(key), escaped(value));
}

std::string facts(const MemoryProfile& profile) {
  std::string rows = fact("peak", shown(profile.run.peak_bytes));
  rows += fact(fmt::format("per image, between batches of {} and {}", profile.other_batch, profile.batch),
               shown_bytes(profile.bytes_per_image));
  rows += fact("parameters", fmt::format("{}", profile.run.parameters));
  if (profile.limit && profile.largest_batch) {
    rows += fact(fmt::format("largest batch in {} ({})", shown(profile.limit->bytes), profile.limit->what),
                 fmt::format("{}", *profile.largest_batch));
  }
  if (!profile.predicted) rows += fact("last step", fmt::format("{:.3g} s", profile.run.seconds_per_step));
  return "<table>\n" + rows + "</table>\n";
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
        escaped(path), shown(bytes), 100 * share);
  }
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace

std::string to_html(const MemoryProfile& profile) {
  std::string page(kHead);
  page += fmt::format("<h1>{}</h1>\n<p>{} {}, batch {}, {} training steps, {}</p>\n", escaped(profile.recipe),
                      escaped(profile.device), escaped(profile.precision), profile.batch, profile.steps,
                      profile.predicted ? "predicted from shapes" : "measured");
  page += facts(profile);
  page += "<h2>Live bytes</h2>\n<p>Over all allocations and releases, in order.</p>\n" + chart(profile.run);
  page += "<h2>At the peak, by category</h2>\n" + categories(profile.run);
  page += "<h2>At the peak, by module</h2>\n" + modules(profile.run);
  return page + "</html>\n";
}

}  // namespace ascore::tools
