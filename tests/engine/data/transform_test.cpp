#include "engine/data/transform.hpp"

#include "engine/data/dataset.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("transforms are the stated functions, and invert") {
  const std::vector<float> images{0, 1e-4f, 0.25f, 0.5f, 0.9f, 1};
  const auto transform = GENERATE(Transform::none, Transform::rescale, Transform::logit);
  std::vector<float> values = images;
  transform_images(transform, values);
  for (size_t i = 0; i < images.size(); ++i) {
    const double x = images[i], l = 1e-6, p = l + (1 - 2 * l) * x;
    const double expected = transform == Transform::none      ? x
                            : transform == Transform::rescale ? 2 * x - 1
                                                              : std::log(p / (1 - p));
    CHECK(values[i] == Approx(expected).epsilon(1e-6).margin(1e-9));
  }
  untransform_images(transform, values);
  for (size_t i = 0; i < images.size(); ++i) CHECK(values[i] == Approx(images[i]).epsilon(1e-6).margin(2e-7));
}

TEST_CASE("dequantisation draws per sample and pass, with the stated moments, before the transform") {
  const std::string kind = GENERATE("uniform", "gaussian");
  const auto plain = open_dataset({.name = "digits"}, 5),
             noisy = open_dataset({.name = "digits", .dequantize = kind}, 5);
  const auto rescaled = open_dataset({.name = "digits", .dequantize = kind, .transform = "rescale"}, 5);
  float clean[64], first[64], again[64], other[64], scaled[64];
  double sum = 0, squares = 0, lowest = 1, highest = 0, count = 0;
  for (int64_t i = 0; i < 400; ++i) {
    plain->read(Split::train, i, clean);
    noisy->read(Split::train, i, first, 3);
    noisy->read(Split::train, i, again, 3);
    noisy->read(Split::train, i, other, 4);
    rescaled->read(Split::train, i, scaled, 3);
    REQUIRE(std::equal(first, first + 64, again));
    REQUIRE_FALSE(std::equal(first, first + 64, other));
    for (size_t j = 0; j < 64; ++j) {
      REQUIRE(scaled[j] == Approx(2 * first[j] - 1).margin(1e-6));
      // uniform: the u of x 255/256 + u/256; gaussian: the z of x + 0.01 z
      const double draw = kind == "uniform" ? first[j] * 256.0 - clean[j] * 255.0 : (first[j] - clean[j]) / 0.01;
      sum += draw;
      squares += draw * draw;
      lowest = std::min(lowest, draw);
      highest = std::max(highest, draw);
      count += 1;
    }
  }
  const double mean = sum / count, variance = squares / count - mean * mean;
  if (kind == "uniform") {
    CHECK(mean == Approx(0.5).margin(0.01));
    CHECK(variance == Approx(1.0 / 12).epsilon(0.03));
    CHECK(lowest >= -1e-4);
    CHECK(highest <= 1 + 1e-4);
  } else {
    CHECK(mean == Approx(0).margin(0.03));
    CHECK(variance == Approx(1).epsilon(0.04));
  }
}

TEST_CASE("training and test samples do not share dequantisation noise") {
  const auto plain = open_dataset({.name = "digits"}, 5),
             noisy = open_dataset({.name = "digits", .dequantize = "gaussian"}, 5);
  const auto noise = [&](Split split) {
    std::vector<float> clean(64), value(64);
    plain->read(split, 0, clean.data());
    noisy->read(split, 0, value.data());
    double sum = 0;
    for (size_t i = 0; i < 64; ++i) sum += value[i] - clean[i];
    return sum;
  };
  CHECK(std::abs(noise(Split::train) - noise(Split::test)) > 1e-3);
}
