#pragma once

#include "engine/io/host_tensor.hpp"
#include "tools/profile/memory_limit.hpp"
#include "tools/profile/memory_run.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ascore::tools {

/// What `ascore profile` found out.
struct MemoryProfile {
  std::string recipe, device, precision;
  bool predicted = false;                         ///< from shapes alone
  int64_t batch = 0, other_batch = 0, steps = 0;  ///< batches of one process
  int ranks = 1;                                  ///< processes that trained together
  MemoryRun run = {};                             ///< at `batch`
  double bytes_per_image = 0;                     ///< between both batch sizes
  std::optional<MemoryLimit> limit = {};          ///< nothing: no such GPU here, and --memory was not given
  std::optional<int64_t> largest_batch = {};      ///< that fits the limit
};

/// The modules that hold most at the peak, largest first: path and bytes.
std::vector<std::pair<std::string, size_t>> largest_modules(const MemoryRun& run, size_t count);

/// At most `columns` moments of the timeline, the fullest of each stretch of it.
std::vector<BytesByKind> thinned(const std::vector<BytesByKind>& timeline, size_t columns);

std::string to_text(const MemoryProfile& profile);
std::string to_json(const MemoryProfile& profile);
/// A page that needs nothing but itself, light or dark as the reader's system is.
std::string to_html(const MemoryProfile& profile);
/// Live bytes over the run's allocations, a colour per category, as a PNG picture.
HostTensor timeline_picture(const MemoryRun& run);

}  // namespace ascore::tools
