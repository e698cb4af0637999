#pragma once

#include "engine/io/checksum.hpp"
#include "engine/nn/pytorch_layout.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Inception-V3's weights by the formula of tests/models/generate/inception_v3.py, with which the golden numbers were
/// computed.
namespace ascore::test {

/// `count` numbers in [-1, 1) that belong to a name.
inline std::vector<double> drawn(const std::string& name, int64_t count) {
  const uint64_t seed = uint64_t{crc32(std::as_bytes(std::span(name)))} << 32;
  std::vector<double> values;
  values.reserve(static_cast<size_t>(count));
  for (int64_t i = 1; i <= count; ++i) {
    uint64_t z = (static_cast<uint64_t>(i) + seed) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    values.push_back(static_cast<double>(z >> 40) / (1 << 23) - 1);
  }
  return values;
}

/// What a parameter is drawn around, and how far.
struct Spread {
  double middle, reach;
};
inline Spread spread_of(const Parameter& parameter) {
  const auto is = [&](const char* ending) { return parameter.name.ends_with(ending); };
  if (is("conv.weight")) {
    return {0, std::sqrt(6.0 / static_cast<double>(parameter.shape.count() / parameter.shape[0]))};
  }
  if (is("bn.weight")) return {1, 0.2};
  if (is("running_var")) return {1, 0.3};
  return {0, is("fc.weight") ? 0.05 : 0.1};
}

/// Values of PyTorch's shape.
inline HostTensor drawn_tensor(const std::string& name, const Shape& shape, const Spread& spread) {
  std::vector<double> values = drawn(name, shape.count());
  for (double& value : values) value = spread.middle + spread.reach * value;
  return HostTensor::from_doubles(values, shape, DType::f32);
}

inline StateDict drawn_state(std::span<Parameter* const> parameters) {
  StateDict state;
  for (const Parameter* p : parameters) {
    const Shape& ours = p->shape;
    const bool conv = p->layout == ParameterLayout::conv;
    state.emplace(p->name,
                  drawn_tensor(p->name, conv ? Shape{ours[0], ours[3], ours[1], ours[2]} : ours, spread_of(*p)));
  }
  return state;
}

}  // namespace ascore::test
