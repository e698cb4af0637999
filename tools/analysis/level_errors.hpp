#pragma once

#include "engine/data/dataset.hpp"
#include "engine/io/line_plot.hpp"
#include "engine/nn/interfaces.hpp"
#include "engine/training/config.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ascore::tools {

/// How a score network does at one noise level, on samples that it was not trained on.
struct LevelError {
  double sigma = 0;
  double loss = 0;             ///< mean of the training's per-sample loss
  double output_variance = 0;  ///< of all values of the network's output; of target gaussian it should be near 1
  double denoised_rmse = 0;    ///< root mean square, over all values, of denoised minus clean sample
};

/// What to measure: `count` test samples, the first ones, `batch` at a time, each with the same noise z at every level.
struct LevelStudy {
  NoiseConfig noise = {};
  ScoreTarget target = ScoreTarget::gaussian;
  DsmLoss loss = DsmLoss::l2;
  uint64_t seed = 0;
  int64_t count = 256, batch = 256;
};

/// One entry per level, the largest first. `progress` hears how many levels are done. Throws ConfigError if the data
/// has fewer test samples; DivergedError if a level's numbers are not finite.
std::vector<LevelError> level_errors(Ctx& ctx, const ScoreNetwork& network, const Dataset& data,
                                     const LevelStudy& study, const std::function<void(int64_t done)>& progress = {});

/// level,sigma,loss,output_variance,denoised_rmse; levels are counted from 1.
std::string to_csv(const std::vector<LevelError>& levels);

/// Against sigma: the loss; the output's variance; the denoised sample's error beside that of a network which leaves
/// the noise as it is.
LinePlot level_loss_plot(const std::vector<LevelError>& levels);
LinePlot output_variance_plot(const std::vector<LevelError>& levels);
LinePlot denoised_error_plot(const std::vector<LevelError>& levels);

}  // namespace ascore::tools
