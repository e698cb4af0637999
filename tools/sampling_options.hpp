#pragma once

#include "engine/data/dataset.hpp"
#include "tools/drawing.hpp"
#include "tools/session.hpp"

#include <memory>
#include <optional>
#include <string>

namespace ascore::tools {

/// Options of every command that samples.
struct SamplingOptions {
  CommonOptions common;
  std::string model, out;
  bool overwrite = false, no_ema = false;
  std::optional<std::string> sampler, preset, init;
  std::optional<int64_t> n_sigma, flow_steps;
  std::optional<double> step_size;
  int64_t count = 64, batch = 256;
};
void add_sampling_options(CLI::App& command, SamplingOptions& options);

/// The recipe's sampling table, changed by --preset and then by the other options. A step size is tuned to one sampler
/// and n_sigma: with another it is not taken over, and the rule decides; a flow that the options ask for starts from
/// prior. Throws ConfigError.
SamplingConfig wanted_sampling(const Recipe& recipe, const SamplingOptions& options);

/// A trained network and all that drawing from it needs.
struct Sampling {
  LoadedModel model;
  std::unique_ptr<Dataset> data;  ///< where sampling starts from data
  DrawRequest request;
};
/// Loads the network and reads everything that the options name. Throws ConfigError, DataError.
Sampling prepare_sampling(Ctx& ctx, const SamplingOptions& options);

}  // namespace ascore::tools
