#include "samplers/variance.hpp"

#include <cmath>
#include <cstddef>

namespace ascore {

std::vector<double> annealed_langevin_spread(std::span<const double> sigmas, double eta, int n_sigma) {
  double v = sigmas[0];
  std::vector<double> spread = {v};
  for (double sigma : sigmas) {
    for (int step = 0; step < n_sigma; ++step) {
      v = std::sqrt(v * v * (1 - eta) * (1 - eta) + 2 * eta * sigma * sigma);
      spread.push_back(v);
    }
  }
  return spread;
}

std::vector<double> consistent_spread(std::span<const double> sigmas, double eta) {
  double v = sigmas[0], gamma = 1;
  std::vector<double> spread = {v};
  for (size_t i = 0; i < sigmas.size(); ++i) {
    if (i + 1 < sigmas.size()) gamma = sigmas[i + 1] / sigmas[i];
    const double next = gamma * sigmas[i], kept = v - eta * sigmas[i], share = (1 - eta) / gamma;
    v = std::sqrt(kept * kept + next * next * (1 - share * share));
    spread.push_back(v);
  }
  return spread;
}

}  // namespace ascore
