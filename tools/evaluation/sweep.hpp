#pragma once

#include "engine/io/line_plot.hpp"
#include "engine/training/config.hpp"
#include "samplers/schedule.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ascore::tools {

/// A way to sample, of those that a sweep compares.
struct SweepSetting {
  SamplerKind sampler = SamplerKind::cas;
  int n_sigma = 1;
  double step_size = 0;
};

/// What one way gave.
struct SweepResult {
  int64_t checkpoint = 0;  ///< step
  SweepSetting setting;
  bool denoised = false;
  double distance = 0;
};

/// `A:B:N`: N values from A to B, of constant ratio.
struct SweepRange {
  double low = 0, high = 0;
  int64_t count = 0;
};
/// Throws ConfigError, naming the option, unless 0 < A <= B and 1 <= N <= 10,000.
SweepRange parse_range(const std::string& option, const std::string& text);

/// Step sizes to try. `text` is `auto` or a range. Auto: eight; for CAS from just above its interval's lower end, where
/// the best lie, to four times that; for ALS from the lower end to ten times it, divided by n_sigma, both at most
/// eta = 1.5. Of a range, CAS gets what lies inside its interval. Throws ConfigError where nothing is left.
std::vector<SweepSetting> step_sizes(const std::string& text, SamplerKind sampler, int n_sigma,
                                     const NoiseConfig& noise);

/// A run's checkpoints that `text` means: `last`, `all`, or A:B:N, the steps nearest to N evenly spaced ones from A to
/// B. In order. Throws DataError, ConfigError.
std::vector<std::filesystem::path> sweep_checkpoints(const std::filesystem::path& run, const std::string& text);

/// checkpoint,sampler,n_sigma,step_size,eta,sample,METRIC
std::string to_csv(const std::vector<SweepResult>& results, const std::string& metric, double sigma_end);

/// The result of the smallest distance.
const SweepResult& best(const std::vector<SweepResult>& results);

/// Distance against step size (figure 3 of arXiv:2009.05475); where several checkpoints were measured, the least
/// distance of each against its step.
LinePlot sweep_plot(const std::vector<SweepResult>& results, const std::string& metric);

}  // namespace ascore::tools
