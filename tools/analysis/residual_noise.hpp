#pragma once

#include "engine/data/points.hpp"
#include "engine/io/line_plot.hpp"
#include "samplers/sampling.hpp"
#include "tools/drawing.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ascore::tools {

/// The noise in the samples along one sampler's way: a value at each of the states at which the score was asked, or, of
/// many, at about a hundred where levels begin, evenly spread, and at the last.
struct ResidualCurve {
  std::string sampler;  ///< als or cas
  int n_sigma = 1;
  std::vector<size_t> step;         ///< steps taken before, from 0
  std::vector<double> position;     ///< levels passed, n_sigma steps to a level
  std::vector<double> level;        ///< sigma that the score was asked at
  std::vector<double> closed_form;  ///< if the score were exact and the data a point (samplers/variance.hpp)
  /// Root mean square over all values of x - D(x), D(x) = x + sigma^2 score(x): what the network itself takes for
  /// noise.
  std::vector<double> own_estimate;
  /// The same of x minus the denoised sample in which its way ended.
  std::vector<double> to_end;
  /// Points of a known mixture: likeliest_noise; empty otherwise.
  std::vector<double> likeliest;

  /// What is best known of the noise: likeliest where there is one, else to_end.
  const std::vector<double>& measured() const { return likeliest.empty() ? to_end : likeliest; }
};

/// Measures it while samples are drawn by a plan of cas or als without noise_first.
class ResidualProbe final : public DrawWatcher {
 public:
  ResidualProbe(SamplingPlan plan, std::optional<Mixture> mixture);
  void asked(Ctx& ctx, const Tensor& x, double sigma, const Tensor& score) override;
  void finished(Ctx& ctx, const Samples& samples, int64_t rows) override;
  /// Of all tiles that are done.
  ResidualCurve curve() const;

 private:
  /// What is kept of one state, of the tile at work and of all before it.
  struct Place {
    size_t step = 0;
    double sigma = 0;
    std::vector<double> state, removed;  ///< x and sigma^2 score of the tile at work
    double own_squares = 0, end_squares = 0;
    std::vector<double> points;
  };
  SamplingPlan plan_;
  std::optional<Mixture> mixture_;
  std::vector<Place> places_;
  size_t evaluation_ = 0, next_ = 0;  ///< of the tile at work
  double values_ = 0;                 ///< that each place has summed up
};

/// All values: sampler,n_sigma,step,position,level,closed_form,own_estimate,to_end and, of mixtures, likeliest.
std::string to_csv(const std::vector<ResidualCurve>& curves);

/// What was measured, beside the levels; and over the level at which the score was asked, beside the closed form.
LinePlot residual_plot(const std::vector<ResidualCurve>& curves);
LinePlot residual_ratio_plot(const std::vector<ResidualCurve>& curves);

}  // namespace ascore::tools
