#pragma once

#include "engine/io/line_plot.hpp"
#include "engine/training/config.hpp"

#include <string>
#include <vector>

namespace ascore::tools {

/// What figure 1 of arXiv:2009.05475 compares: the noise in the sample along the way, if the score is exact and the
/// data a point.
struct ScheduleStudy {
  NoiseConfig noise{};
  double eta_als = 0.02, eta_cas = 0.2;       ///< step size over sigma_L^2
  std::vector<int64_t> n_sigma{1, 2, 5, 20};  ///< of annealed Langevin sampling, a curve each
};

/// One sampler's way.
struct NoiseCurve {
  std::string sampler;  ///< als or cas
  int n_sigma = 1;
  std::vector<double> position;    ///< levels passed, from 0; n_sigma steps to a level
  std::vector<double> deviation;   ///< standard deviation of the noise in the sample
  std::vector<double> difference;  ///< deviation - the levels' progression at that position
};

/// The curves of all samplers. Throws ConfigError for a step that its sampler cannot take.
std::vector<NoiseCurve> noise_curves(const ScheduleStudy& study);

/// All values: sampler,n_sigma,step,position,deviation,difference.
std::string to_csv(const std::vector<NoiseCurve>& curves);

/// Figure 1 beside the levels' own progression, and how far each curve is from that.
LinePlot deviation_plot(const ScheduleStudy& study, const std::vector<NoiseCurve>& curves);
LinePlot difference_plot(const ScheduleStudy& study, const std::vector<NoiseCurve>& curves);

}  // namespace ascore::tools
