#pragma once

#include "engine/io/json_lines.hpp"
#include "engine/io/tensorboard_events.hpp"

#include <filesystem>
#include <string>

namespace ascore {

struct Progress;

/// What a run tells of its steps: metrics.jsonl and, with the same names and numbers, TensorBoard's event files.
class MetricsLog {
 public:
  /// In the run's folder; drops what earlier processes wrote there of steps after `step`. Throws DataError, DiskError.
  MetricsLog(const std::filesystem::path& run, int64_t step);

  /// A step's losses, rate and whatever was measured at it; `adversarial`: the game's losses too.
  void append(const Progress& progress, bool adversarial);
  /// A picture, for TensorBoard alone.
  void append(int64_t step, const std::string& tag, const HostTensor& picture);
  /// Waits until everything is on the disk: a checkpoint that follows then never outlives what was told before it.
  void sync();

 private:
  JsonLines lines_;
  TensorBoardEvents events_;
};

}  // namespace ascore
