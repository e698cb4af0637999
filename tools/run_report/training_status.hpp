#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ascore::tools {

/// How a training fares or ended, as far as metrics.jsonl does not tell: what RUN/end.json holds of the last start that
/// came to an end by itself.
struct TrainingStatus {
  std::string state;    ///< training, finished, stopped (by a signal) or failed
  std::string message;  ///< of what failed
  int64_t step = 0, steps = 0;
  double seconds = 0;  ///< of this start
  std::string device, precision;
  int64_t threads = 0, ranks = 1;
  int64_t peak_bytes = 0;  ///< of rank 0's tensors
};

inline constexpr const char* kEndFile = "end.json";

/// Writes RUN/end.json. Throws DiskError.
void write_end(const std::filesystem::path& run, const TrainingStatus& status);
/// Nothing if there is no such file. Throws DataError for one that is damaged.
std::optional<TrainingStatus> read_end(const std::filesystem::path& run);

}  // namespace ascore::tools
