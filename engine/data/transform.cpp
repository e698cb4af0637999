#include "engine/data/transform.hpp"

#include "kernels/core/distributions.hpp"
#include "kernels/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr double kLogitMargin = 1e-6;
constexpr double kGaussianSpread = 0.01;

template <class Enum>
Enum parse(std::string_view text, std::initializer_list<Enum> known, std::string_view key) {
  std::string names;
  for (const Enum value : known) {
    if (text == name(value)) return value;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name(value));
  }
  throw ConfigError(fmt::format("data.{} = \"{}\": known are {}", key, text, names));
}

}  // namespace

const char* name(Dequantize dequantize) {
  switch (dequantize) {
    case Dequantize::none:
      return "none";
    case Dequantize::uniform:
      return "uniform";
    case Dequantize::gaussian:
      return "gaussian";
  }
  return "?";
}

const char* name(Transform transform) {
  switch (transform) {
    case Transform::none:
      return "none";
    case Transform::rescale:
      return "rescale";
    case Transform::logit:
      return "logit";
  }
  return "?";
}

Dequantize parse_dequantize(std::string_view text) {
  return parse(text, {Dequantize::none, Dequantize::uniform, Dequantize::gaussian}, "dequantize");
}

Transform parse_transform(std::string_view text) {
  return parse(text, {Transform::none, Transform::rescale, Transform::logit}, "transform");
}

void Preparation::apply(std::span<float> image, const NoiseKey& key) const {
  if (dequantize != Dequantize::none) {
    for (size_t i = 0; i < image.size(); i += 4) {
      const RandomBits bits = random_bits(key, 0, static_cast<uint32_t>(i / 4));
      const Draws draws = dequantize == Dequantize::uniform ? uniforms(bits) : normals(bits);
      for (size_t j = 0; j < 4 && i + j < image.size(); ++j) {
        float& x = image[i + j];
        x = dequantize == Dequantize::uniform ? (x * 255.0f + draws.value[j]) / 256.0f
                                              : x + static_cast<float>(kGaussianSpread) * draws.value[j];
      }
    }
  }
  transform_images(transform, image);
}

void transform_images(Transform transform, std::span<float> values) {
  if (transform == Transform::none) return;
  for (float& x : values) {
    if (transform == Transform::rescale) {
      x = 2 * x - 1;
    } else {
      const double p = kLogitMargin + (1 - 2 * kLogitMargin) * x;
      x = static_cast<float>(std::log(p) - std::log1p(-p));
    }
  }
}

void untransform_images(Transform transform, std::span<float> values) {
  if (transform == Transform::none) return;
  for (float& x : values) {
    if (transform == Transform::rescale) {
      x = (x + 1) / 2;
    } else {
      const double p = 1 / (1 + std::exp(-static_cast<double>(x)));
      x = static_cast<float>((p - kLogitMargin) / (1 - 2 * kLogitMargin));
    }
  }
}

}  // namespace ascore
