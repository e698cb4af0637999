#include "engine/training/metrics_log.hpp"

#include "engine/training/trainer.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

JsonLine line_of(const Progress& progress, bool adversarial) {
  JsonLine line{{"step", progress.step}, {"loss", progress.loss}};
  if (!progress.classifies) line.emplace_back("dsm", progress.dsm);
  if (adversarial) {
    line.emplace_back("generator", progress.generator);
    line.emplace_back("critic", progress.critic);
  }
  if (progress.held_out) {
    line.emplace_back("held_out", progress.held_out->mean);
    if (progress.held_out->accuracy) line.emplace_back("held_out_accuracy", *progress.held_out->accuracy);
    const std::vector<double>& groups = progress.held_out->by_level;
    for (size_t group = 0; group < groups.size(); ++group) {
      if (std::isfinite(groups[group])) line.emplace_back(fmt::format("held_out_{}", group + 1), groups[group]);
    }
  }
  line.emplace_back("world_size", int64_t{progress.world_size});
  line.emplace_back("local_batch", progress.local_batch);
  line.emplace_back("samples_per_second", progress.samples_per_second);
  line.emplace_back("seconds", progress.seconds);
  return line;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& run, int64_t step)
    : lines_(run / "metrics.jsonl", step), events_(run, step) {}

void MetricsLog::append(const Progress& progress, bool adversarial) {
  const JsonLine line = line_of(progress, adversarial);
  std::vector<EventValue> values;
  for (const auto& [key, value] : line) {
    if (const auto* number = std::get_if<double>(&value)) values.push_back({key, *number});
  }
  lines_.append(line);
  events_.add(progress.step, values);
}

void MetricsLog::append(int64_t step, const std::string& tag, const HostTensor& picture) {
  const EventValue value{tag, picture};
  events_.add(step, std::span(&value, 1));
}

void MetricsLog::sync() {
  lines_.sync();
  events_.sync();
}

}  // namespace ascore
