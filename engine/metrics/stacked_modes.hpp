#pragma once

#include <cstdint>
#include <span>

namespace ascore {

/// How evenly samples of Stacked-MNIST fall on its 1,000 modes, each sample counted once.
struct StackedModes {
  static constexpr int kModes = 1000;
  int modes = 0;  ///< that at least one sample fell on
  /// KL(q || uniform) = sum over the modes of q ln(1000 q), q the shares of the samples. Of N exact samples it is about
  /// 999 / (2N), not 0; of samples that all fall on one mode, ln 1000.
  double divergence = 0;
};

/// `labels`: the mode of every sample, 100 red + 10 green + blue. Throws DataError without any, or for one outside of 0
/// to 999.
StackedModes stacked_modes(std::span<const int64_t> labels);

}  // namespace ascore
