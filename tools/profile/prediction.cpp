#include "tools/profile/prediction.hpp"

#include "kernels/core/error.hpp"
#include "tools/profile/byte_size.hpp"

#include <algorithm>
#include <vector>

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

namespace {

/// A change of a recipe, and the words for it.
struct Setting {
  Recipe recipe;
  std::string words;
};

bool fits(const Setting& setting, const RunSettings& settings, size_t limit) {
  RunSettings at = settings;
  at.limit = limit;
  try {
    const auto peak = predicted_peak(setting.recipe, at);
    return peak && *peak <= limit;
  } catch (const ConfigError&) {  // this network cannot be trained so: in parts of a batch, for instance
    return false;
  }
}

/// `recipe` with the largest parts of a batch that fit, halving what they are now.
std::optional<Setting> in_parts(const Recipe& recipe, const RunSettings& settings, size_t limit) {
  const int64_t now = recipe.training.micro_batch > 0 ? recipe.training.micro_batch : settings.batch;
  for (int64_t part = now / 2; part >= 1; part /= 2) {
    Setting setting{recipe, fmt::format("training.micro_batch = {}", part)};
    setting.recipe.training.micro_batch = part;
    if (fits(setting, settings, limit)) return setting;
  }
  return std::nullopt;
}

/// What a checkpoint is written from: a copy of parameters, their average and the optimizer's state. Nothing for a
/// network that cannot be trained at all.
size_t checkpoint_bytes(const Recipe& recipe, RunSettings settings) {
  settings.data = nullptr;
  settings.batch = settings.steps = 1;
  try {
    const BytesByKind bytes = run_steps(recipe, settings).by_kind;
    const auto of = [&](MemoryKind kind) { return bytes[static_cast<size_t>(kind)]; };
    return of(MemoryKind::parameters) + of(MemoryKind::ema) + of(MemoryKind::optimizer);
  } catch (const ShapeError&) {
    return 0;
  } catch (const OutOfMemoryError&) {
    return 0;
  }
}

std::optional<Setting> recomputing(const Recipe& recipe, const RunSettings& settings, size_t limit) {
  for (const char* what : {"norm", "block"}) {
    Setting setting{recipe, fmt::format("training.recompute = \"{}\"", what)};
    setting.recipe.training.recompute = what;
    if (recipe.training.recompute != "block" && fits(setting, settings, limit)) return setting;
  }
  return std::nullopt;
}

}  // namespace

int64_t largest_batch(const Recipe& recipe, const RunSettings& settings, size_t limit) {
  const auto takes = [&](int64_t batch) {
    RunSettings at = settings;
    at.batch = batch;
    return fits({recipe, ""}, at, limit);
  };
  // Doubling, then bisection: takes(low) and not takes(high).
  if (!takes(1)) return 0;
  int64_t low = 1, high = 2;
  while (high <= kLargestBatch && takes(high)) {
    low = high;
    high *= 2;
  }
  if (high > kLargestBatch) return low;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (takes(middle) ? low : high) = middle;
  }
  return low;
}

std::string memory_advice(const Recipe& recipe, const RunSettings& settings, MemoryLimit limit) {
  if (limit.host) limit.bytes -= std::min(limit.bytes, checkpoint_bytes(recipe, settings));
  const auto need = predicted_peak(recipe, settings);
  const std::string lack = fmt::format("training at batch_size {} needs {}, {} are there ({})", settings.batch,
                                       need ? shown_bytes(static_cast<double>(*need)) : "more than kernels can address",
                                       shown_bytes(static_cast<double>(limit.bytes)), limit.what);
  std::vector<std::string> would_fit;
  const int64_t largest = largest_batch(recipe, settings, limit.bytes);
  if (largest > 0 && largest < settings.batch) would_fit.push_back(fmt::format("training.batch_size = {}", largest));
  if (const auto parts = in_parts(recipe, settings, limit.bytes)) would_fit.push_back(parts->words);
  if (const auto again = recomputing(recipe, settings, limit.bytes)) would_fit.push_back(again->words);
  if (would_fit.empty()) return lack + "; neither smaller batches nor recomputing would fit: take a smaller network";
  return fmt::format("{}; these would fit: {}", lack, fmt::join(would_fit, "; or "));
}

}  // namespace ascore::tools
