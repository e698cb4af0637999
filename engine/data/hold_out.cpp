#include "engine/data/hold_out.hpp"

#include "engine/data/loader.hpp"
#include "kernels/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

HeldOut hold_out(int64_t count, double fraction) {
  if (!(fraction >= 0 && fraction < 1)) {
    throw ConfigError(fmt::format("data.test_fraction = {}: at least 0 and below 1", fraction));
  }
  const std::vector<int64_t> order = epoch_order(0, 0, count);
  const auto test = static_cast<int64_t>(std::lround(fraction * static_cast<double>(count)));
  const auto border = order.end() - test;
  return {.train = {order.begin(), border}, .test = {border, order.end()}};
}

}  // namespace ascore
