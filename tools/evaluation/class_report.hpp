#pragma once

#include "tools/features.hpp"
#include "tools/report.hpp"

#include <span>

namespace ascore::tools {

/// What the classes that a network sees in samples say of them: Inception score; of stacked digits, modes covered and
/// their divergence from evenness. `logits` of all samples, of `shape`; nothing is reported without any, or of fewer
/// than ten samples.
void report_classes(Report& report, const Features& features, const Shape& shape, std::span<const double> logits);

}  // namespace ascore::tools
