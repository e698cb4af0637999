#pragma once

#include "kernels/core/shape.hpp"

#include <cstdint>
#include <optional>

namespace ascore {

/// How a parameter starts. Fans are read off a weight's shape, dim 0 = out: [O,I] and [O,k,k,I] have fan_in = I k k and
/// fan_out = O k k.
struct Init {
  enum class Kind : uint8_t { constant, normal, uniform, fan_in_uniform, xavier_uniform, unit_vector };
  Kind kind = Kind::constant;
  double a = 0, b = 0;  ///< constant a; N(a, b^2); U(a, b); fan_in_uniform: a = given fan_in, or 0; xavier: scale a

  static Init zeros() { return {}; }
  static Init constant(double value) { return {Kind::constant, value, 0}; }
  static Init normal(double mean, double deviation) { return {Kind::normal, mean, deviation}; }
  /// N(0,1), divided by its length: a random direction.
  static Init unit_vector() { return {Kind::unit_vector, 0, 0}; }
  static Init uniform(double low, double high) { return {Kind::uniform, low, high}; }
  /// U(+-1/sqrt(fan_in)): PyTorch's default. A bias passes the fan_in of its weight; 0 reads it off the shape.
  static Init fan_in_uniform(int64_t fan_in = 0) { return {Kind::fan_in_uniform, static_cast<double>(fan_in), 0}; }
  /// U(+-sqrt(6 scale / (fan_in + fan_out))): Glorot & Bengio 2010.
  static Init xavier_uniform(double scale = 1) { return {Kind::xavier_uniform, scale, 0}; }

  /// The same initialisation of a parameter of `shape` with its bounds worked out: constant, normal, uniform or
  /// unit_vector.
  Init resolved(const Shape& shape) const;
};

/// How a layer's weight and bias start. The default is PyTorch's.
struct LayerInit {
  Init weight = Init::fan_in_uniform();
  std::optional<Init> bias{};  ///< absent: U(+-1/sqrt(fan_in)) of the weight

  /// Glorot & Bengio's weights, zero biases.
  static LayerInit xavier_uniform(double scale = 1) { return {Init::xavier_uniform(scale), Init::zeros()}; }
};

}  // namespace ascore
