#pragma once

#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <array>
#include <vector>

namespace ascore::test {

/// Several steps of an optimizer over flat buffers, computed by plain loops in T: f64 is the reference, f32 the naive
/// twin. `rule(p, g, state, t)` moves one element, t = 1, 2, ...
template <class T>
struct FlatRun {
  std::vector<T> p, ema;
  std::array<std::vector<T>, 3> states;

  template <class Rule>
  FlatRun(const std::vector<double>& start, const std::vector<std::vector<double>>& gradients, double decay, Rule rule)
      : p(start.begin(), start.end()), ema(p) {
    for (auto& state : states) state.assign(p.size(), T(0));
    for (size_t step = 0; step < gradients.size(); ++step) {
      for (size_t i = 0; i < p.size(); ++i) {
        T state[3] = {states[0][i], states[1][i], states[2][i]};
        rule(p[i], static_cast<T>(gradients[step][i]), state, static_cast<int>(step) + 1);
        for (size_t k = 0; k < 3; ++k) states[k][i] = state[k];
        ema[i] = static_cast<T>(decay) * ema[i] + static_cast<T>(1 - decay) * p[i];
      }
    }
  }
};

template <class T>
std::vector<double> as_doubles(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

/// Runs `step(stream, p, g, states, ema, t)` three times on every device, over counts that leave partial runs, with and
/// without an average, on memory aligned to 16 bytes and not, and compares parameters, states and average.
template <class Step, class Rule>
void check_flat_update(int states, Step step, Rule rule) {
  const auto device = GENERATE(from_range(devices()));
  const auto dtype = GENERATE(DType::f32, DType::f64);
  if (dtype == DType::f64 && device != Device::cpu) return;
  const int64_t count = GENERATE(0, 1, 7, 1030);
  const bool averaged = states > 0 ? GENERATE(true, false) : false;  // without state it is the average's own kernel
  const int64_t offset = GENERATE(0, 1);
  CAPTURE(name(device), name(dtype), count, averaged, offset);
  constexpr double kDecay = 0.75;
  const Shape shape{count + offset};
  const auto part = [&](View whole) {
    return View(static_cast<char*>(whole.raw()) + static_cast<size_t>(offset) * size_of(dtype), Shape{count}, dtype,
                device);
  };
  const auto tail = [&](const Buffer& x) {
    const std::vector<double> all = x.values();
    return std::vector<double>(all.begin() + offset, all.end());
  };

  const auto start = data(device, shape, dtype, Fill::normal, 1);
  std::vector<Buffer> gradients;
  std::vector<std::vector<double>> gradient_values;
  for (uint64_t t = 1; t <= 3; ++t) {
    gradients.push_back(data(device, shape, dtype, Fill::normal, 1 + t));
    gradient_values.push_back(tail(gradients.back()));
  }
  const FlatRun<double> reference(tail(start), gradient_values, kDecay, rule);
  const FlatRun<float> naive(tail(start), gradient_values, kDecay, rule);

  std::optional<std::vector<double>> first;
  for (uint64_t schedule : schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    Buffer p = buffer(device, shape, dtype, start.values()), ema = buffer(device, shape, dtype, start.values());
    std::vector<Buffer> state;
    for (int k = 0; k < states; ++k) {
      state.push_back(buffer(device, shape, dtype, std::vector<double>(static_cast<size_t>(count + offset), 0.0)));
    }
    for (int t = 1; t <= 3; ++t) {
      std::array<View, 3> views;
      for (int k = 0; k < states; ++k) views[size_t(k)] = part(state[size_t(k)]);
      step(stream, part(p), part(gradients[size_t(t) - 1]), views, averaged ? part(ema) : View{}, kDecay, t);
      stream.synchronize();
    }
    if (count) require_kernels_ran(stream);
    if (!first) first = p.values();
    CHECK(p.values() == *first);
    if (offset) CHECK(p.values()[0] == start.values()[0]);
    const auto agrees = [&](const Buffer& x, const std::vector<double>& exact, const std::vector<float>& twin) {
      if (dtype == DType::f64) {
        CHECK(max_relative_error(tail(x), exact) <= 1e-14);
      } else {
        CHECK_THAT(tail(x), at_most_twice_the_error_of(as_doubles(twin), exact, 2e-7));
      }
    };
    agrees(p, reference.p, naive.p);
    if (averaged) agrees(ema, reference.ema, naive.ema);
    for (int k = 0; k < states; ++k) agrees(state[size_t(k)], reference.states[size_t(k)], naive.states[size_t(k)]);
  }
}

}  // namespace ascore::test
