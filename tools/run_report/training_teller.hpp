#pragma once

#include "tools/run_report/training_status.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>

namespace ascore::tools {

/// Tells in a run's folder how its training fares: report.html at checkpoints, and end.json beside it at the end. For
/// rank 0 alone. A page that cannot be made because of what else lies in the folder is told of on stderr, once a time,
/// and training goes on.
class TrainingTeller {
 public:
  /// `begun`: device, precision, threads, ranks, steps; step: where this start begins.
  TrainingTeller(std::filesystem::path run, TrainingStatus begun);

  /// Throw DiskError.
  void underway(int64_t step, size_t peak_bytes);
  /// `state`: finished or stopped.
  void ended(const char* state, int64_t step, size_t peak_bytes);
  /// Says so as far as it can: the error itself is what the caller goes on with. Of what was wrong with files or
  /// options nothing is said: they change no file.
  void failed(const std::exception& error, int64_t step, size_t peak_bytes) noexcept;

 private:
  void bring(const char* state, int64_t step, size_t peak_bytes);
  bool keeps_earlier_end();
  void page() const;

  std::filesystem::path run_;
  TrainingStatus status_;
  int64_t first_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace ascore::tools
