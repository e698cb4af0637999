#pragma once

#include "tools/profile/memory_limit.hpp"
#include "tools/profile/memory_run.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ascore::tools {

/// The other batch size of a slope: half, or twice where that is none.
int64_t other_batch(int64_t batch);
/// Bytes per image between two runs of different batch sizes.
double bytes_per_image(const MemoryRun& a, int64_t batch_a, const MemoryRun& b, int64_t batch_b);

/// Peak bytes of a dry run within settings.limit; nothing where that, or the shapes that kernels take, are exceeded.
std::optional<size_t> predicted_peak(const Recipe& recipe, RunSettings settings);

/// The largest batch size that fits `limit` in dry runs; 0 if not even one image fits. At most kLargestBatch.
int64_t largest_batch(const Recipe& recipe, const RunSettings& settings, size_t limit);
inline constexpr int64_t kLargestBatch = 1 << 20;

/// For an out-of-memory error: "training at batch_size 128 needs 9.31 GiB, 2.00 GiB are there (--memory 2GiB); these
/// would fit: training.batch_size = 19; or training.micro_batch = 16". Every setting in it fitted in a dry run.
std::string memory_advice(const Recipe& recipe, const RunSettings& settings, MemoryLimit limit);

}  // namespace ascore::tools
