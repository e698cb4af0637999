#pragma once

#include "kernels/core/step_scalars.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace ascore {

/// Noise that fills the gaps between grey levels: x 255/256 + u/256 with u uniform in (0,1], or x + 0.01 z.
enum class Dequantize : uint8_t { none, uniform, gaussian };
/// Where images in [0,1] go: nowhere, to 2x - 1, or to logit(l + (1 - 2l) x) with l = 1e-6.
enum class Transform : uint8_t { none, rescale, logit };

/// Names as recipes spell them. The parsers throw ConfigError naming the known ones.
const char* name(Dequantize dequantize);
const char* name(Transform transform);
Dequantize parse_dequantize(std::string_view text);
Transform parse_transform(std::string_view text);

/// What happens to an image between file and network, in this order.
struct Preparation {
  Dequantize dequantize = Dequantize::none;
  Transform transform = Transform::none;

  /// In place. `key` draws the noise of the image in row 0.
  void apply(std::span<float> image, const NoiseKey& key) const;
};

/// Images as the network sees them.
void transform_images(Transform transform, std::span<float> values);
/// Back to [0,1]; not clamped: samples of a network may lie outside.
void untransform_images(Transform transform, std::span<float> values);

}  // namespace ascore
