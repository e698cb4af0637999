#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace ascore::bench {

/// Milliseconds that `body()` takes: the median of `repeats` runs after `warm_up` runs that do not count.
template <class Body>
double median_ms(int64_t warm_up, int64_t repeats, Body&& body) {
  for (int64_t i = 0; i < warm_up; ++i) body();
  std::vector<double> times;
  for (int64_t i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times.empty() ? 0.0 : times[times.size() / 2];
}

}  // namespace ascore::bench
