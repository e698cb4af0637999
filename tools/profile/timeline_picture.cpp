#include "engine/io/canvas.hpp"
#include "tools/profile/byte_size.hpp"
#include "tools/profile/kind_colours.hpp"
#include "tools/profile/memory_profile.hpp"

#include <fmt/format.h>

namespace ascore::tools {

namespace {

constexpr Color kInk{40, 40, 40}, kGrid{215, 215, 215};
constexpr double kText = 1.8;
constexpr double kLeft = 130, kRight = 1180, kTop = 90, kBottom = 560;

/// The categories that the run has, in the order in which they lie over one another.
void draw_legend(Canvas& canvas, const MemoryRun& run) {
  double x = kLeft;
  for (size_t kind = 0; kind < run.by_kind.size(); ++kind) {
    if (run.by_kind[kind] == 0) continue;
    const std::string words = name(static_cast<MemoryKind>(kind));
    canvas.rectangle(x, 56, x + 16, 72, colour_of(kind));
    canvas.text(x + 22, 56, words, kText, kInk);
    x += text_width(words, kText) + 46;
  }
}

/// Quarters of the peak.
void draw_scale(Canvas& canvas, size_t peak) {
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const double y = kBottom - (kBottom - kTop) * quarter / 4;
    const std::string words = shown_bytes(static_cast<double>(peak) * quarter / 4);
    canvas.line(kLeft, y, kRight, y, 1, kGrid);
    canvas.text(kLeft - 10 - text_width(words, kText), y - text_height(kText) / 2, words, kText, kInk);
  }
  canvas.text(kLeft, kBottom + 12, "allocations and releases, in the order of the steps", kText, kInk);
}

}  // namespace

HostTensor timeline_picture(const MemoryRun& run) {
  Canvas canvas(1200, 600);
  canvas.text(kLeft, 16,
              fmt::format("Live bytes while training; at most {}", shown_bytes(static_cast<double>(run.peak_bytes))),
              2.2, kInk);
  draw_legend(canvas, run);
  draw_scale(canvas, run.peak_bytes);
  const auto columns = static_cast<size_t>(kRight - kLeft);
  const std::vector<BytesByKind> moments = thinned(run.timeline, columns);
  if (moments.empty() || run.peak_bytes == 0) return canvas.picture();
  const double scale = (kBottom - kTop) / static_cast<double>(run.peak_bytes);
  for (size_t column = 0; column < columns; ++column) {
    const BytesByKind& live = moments[column * moments.size() / columns];
    const double x = kLeft + static_cast<double>(column);
    double y = kBottom;
    for (size_t kind = 0; kind < live.size(); ++kind) {
      const double height = static_cast<double>(live[kind]) * scale;
      canvas.rectangle(x, y - height, x + 1, y, colour_of(kind));
      y -= height;
    }
  }
  return canvas.picture();
}

}  // namespace ascore::tools
