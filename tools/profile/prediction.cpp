#include "tools/profile/prediction.hpp"

#include "kernels/core/error.hpp"
#include "tools/profile/byte_size.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore::tools {

int64_t other_batch(int64_t batch) {
  return batch > 1 ? batch / 2 : 2;
}

double bytes_per_image(const MemoryRun& a, int64_t batch_a, const MemoryRun& b, int64_t batch_b) {
  return (static_cast<double>(a.peak_bytes) - static_cast<double>(b.peak_bytes)) /
         static_cast<double>(batch_a - batch_b);
}

std::optional<size_t> predicted_peak(const Recipe& recipe, RunSettings settings) {
  settings.data = nullptr;
  settings.steps = 2;  // the first loads what the second finds, or captures what it replays
  try {
    return run_steps(recipe, settings).peak_bytes;
  } catch (const ShapeError&) {
    return std::nullopt;
  } catch (const OutOfMemoryError&) {
    return std::nullopt;
  }
}

int64_t largest_batch(const Recipe& recipe, const RunSettings& settings, size_t limit) {
  const auto fits = [&](int64_t batch) {
    RunSettings at = settings;
    at.batch = batch;
    at.limit = limit;
    const auto peak = predicted_peak(recipe, at);
    return peak && *peak <= limit;
  };
  // Doubling, then bisection: fits(low) and not fits(high).
  if (!fits(1)) return 0;
  int64_t low = 1, high = 2;
  while (high <= kLargestBatch && fits(high)) {
    low = high;
    high *= 2;
  }
  if (high > kLargestBatch) return low;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

std::string memory_advice(const Recipe& recipe, const RunSettings& settings, const MemoryLimit& limit) {
  const auto need = predicted_peak(recipe, settings);
  std::string text = fmt::format("training at batch_size {} needs {}, {} are there ({})", settings.batch,
                                 need ? shown_bytes(static_cast<double>(*need)) : "more than kernels can address",
                                 shown_bytes(static_cast<double>(limit.bytes)), limit.what);
  const int64_t largest = largest_batch(recipe, settings, limit.bytes);
  if (largest == 0) return text + "; not even batch_size 1 would fit: take a smaller network";
  if (largest < settings.batch) text += fmt::format("; training.batch_size = {} would fit", largest);
  return text;
}

}  // namespace ascore::tools
