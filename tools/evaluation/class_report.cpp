#include "tools/evaluation/class_report.hpp"

#include "engine/metrics/inception_score.hpp"
#include "engine/metrics/stacked_modes.hpp"

#include <algorithm>
#include <vector>

namespace ascore::tools {

namespace {

constexpr int64_t kDigits = 10, kStacked = 3;
constexpr int kParts = 10;

/// 100 red + 10 green + blue, the likeliest digit of each channel.
std::vector<int64_t> stacked_labels(std::span<const double> logits) {
  std::vector<int64_t> labels;
  for (size_t image = 0; image < logits.size(); image += kStacked * kDigits) {
    int64_t label = 0;
    for (size_t channel = 0; channel < kStacked; ++channel) {
      const auto verdict = logits.subspan(image + channel * kDigits, kDigits);
      label = kDigits * label + (std::ranges::max_element(verdict) - verdict.begin());
    }
    labels.push_back(label);
  }
  return labels;
}

}  // namespace

void report_classes(Report& report, const Features& features, const Shape& shape, std::span<const double> logits) {
  const int64_t classes = features.classes(), looks = features.looks(shape);
  if (classes == 0 || static_cast<int64_t>(logits.size()) < kParts * looks * classes) return;
  if (looks == 1) {
    const InceptionScore score = inception_score(logits, classes, kParts);
    report.add("inception_score", score.mean);
    report.add("inception_score_sd", score.deviation);
  } else if (looks == kStacked && classes == kDigits) {
    const StackedModes modes = stacked_modes(stacked_labels(logits));
    report.add("modes", static_cast<int64_t>(modes.modes));
    report.add("of", static_cast<int64_t>(StackedModes::kModes));
    report.add("modes_divergence", modes.divergence);
  }
}

}  // namespace ascore::tools
