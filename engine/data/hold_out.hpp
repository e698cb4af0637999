#pragma once

#include <cstdint>
#include <vector>

namespace ascore {

/// Which samples of a data set without a test part of its own are trained on, and which are held out.
struct HeldOut {
  std::vector<int64_t> train, test;
};

/// The last `fraction` of `count` samples, in an order that is the same for every seed, so that runs can be compared.
/// Throws ConfigError for a fraction outside [0, 1) (recipe key data.test_fraction).
HeldOut hold_out(int64_t count, double fraction);

}  // namespace ascore
