#pragma once

#include "engine/io/line_plot.hpp"
#include "tools/run_report/run_record.hpp"

#include <string>
#include <vector>

namespace ascore::tools {

/// The curves of a run that metrics.jsonl has numbers for: losses of the score network, held-out losses by noise level,
/// the game's losses, samples per second; of a size for svg_plot. A curve of many values is drawn by means of
/// neighbouring ones.
std::vector<LinePlot> metric_plots(const RunRecord& record);

/// One number of a run over its steps.
struct MetricSummary {
  std::string name;
  double first = 0, least = 0, last = 0;
  int64_t least_step = 0;
};
/// Of losses and held-out loss.
std::vector<MetricSummary> metric_summaries(const RunRecord& record);

/// The last value of a number; not a number if there is none.
double last_metric(const RunRecord& record, const std::string& key);

}  // namespace ascore::tools
