#include "kernels/channel_dropout/channel_dropout.hpp"

#include "kernels/core/distributions.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

const NoiseKey kKey{.seed = 7, .stream = 12, .first_sample = 5, .step = 3};

/// y of ones of `shape`.
std::vector<double> mask(Device device, const Shape& shape, const NoiseKey& key, uint32_t layer, double p) {
  Stream stream(device);
  const auto x = test::buffer(device, shape, DType::f32, std::vector(static_cast<size_t>(shape.count()), 1.0));
  auto y = test::poisoned(device, shape);
  kernels::channel_dropout(stream, x, key, layer, p, y);
  stream.synchronize();
  return y.values();
}

}  // namespace

TEST_CASE("channel_dropout keeps the channels whose draw is above p, on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::float_types(device)));
  const double p = GENERATE(0.0, 0.25, 0.6);
  const Shape shape = GENERATE(Shape{2, 1, 1, 3}, Shape{3, 5, 7, 70}, Shape{1, 17, 16, 33}, Shape{0, 2, 3, 4});
  constexpr uint32_t kLayer = 9;
  CAPTURE(name(device), name(dtype), p, to_string(shape));
  const auto x = test::data(device, shape, dtype);
  const auto values = x.values();
  std::vector<double> expected;
  const int64_t P = shape[1] * shape[2], C = shape[3];
  for (int64_t i = 0; i < shape.count(); ++i) {
    const int64_t n = i / (P * C), c = i % C, draw = (int64_t(kLayer) << 18) + c;
    const RandomBits bits = random_bits(kKey, n, static_cast<uint32_t>(draw / 4));
    const bool kept = static_cast<double>(uniform_from_bits(bits.word[draw % 4])) > p;
    expected.push_back(kept ? values[size_t(i)] / (1 - p) : 0.0);
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype);
    kernels::channel_dropout(stream, x, kKey, kLayer, p, y);
    stream.synchronize();
    if (shape.count() > 0) test::require_kernels_ran(stream);
    CHECK(test::max_relative_error(y.values(), expected) <= (dtype == DType::bf16 ? 1.0 / 256 : 2e-7));
  }
}

TEST_CASE("channel_dropout drops a share of p, and differently for every sample, step, stream and layer") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape shape{4, 1, 1, 500};
  const auto reference = mask(device, shape, kKey, 1, 0.3);
  const auto dropped = std::count(reference.begin(), reference.end(), 0.0);
  CHECK(std::abs(double(dropped) - 600) < 4 * std::sqrt(2000 * 0.3 * 0.7));
  const auto differs = [&](const std::vector<double>& other) {
    int64_t count = 0;
    for (size_t i = 0; i < other.size(); ++i) count += (other[i] == 0) != (reference[i] == 0);
    return std::abs(double(count) - 840) < 4 * std::sqrt(2000 * 0.42 * 0.58);  // two draws differ with 2 p (1-p)
  };
  CHECK(differs(mask(device, shape, kKey.at_step(4), 1, 0.3)));
  CHECK(differs(mask(device, shape, kKey.with_stream(13), 1, 0.3)));
  CHECK(differs(mask(device, shape, kKey, 2, 0.3)));
  NoiseKey later = kKey;
  later.first_sample += 1;
  const auto shifted = mask(device, shape, later, 1, 0.3);
  CHECK(differs(shifted));
  CHECK(std::equal(shifted.begin(), shifted.end() - 500, reference.begin() + 500));  // a sample's own, in any batch
}

TEST_CASE("channel_dropout refuses probabilities, layers and shapes that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {1, 2, 2, 3}), y = test::poisoned(device, {1, 2, 2, 3});
  auto other = test::poisoned(device, {1, 2, 2, 4}), half = test::poisoned(device, {1, 2, 2, 3}, DType::bf16);
  CHECK_THROWS_AS(kernels::channel_dropout(stream, x, kKey, 0, 1.0, y), ConfigError);
  CHECK_THROWS_AS(kernels::channel_dropout(stream, x, kKey, 0, -0.1, y), ConfigError);
  CHECK_THROWS_AS(kernels::channel_dropout(stream, x, kKey, 0, std::nan(""), y), ConfigError);
  CHECK_THROWS_AS(kernels::channel_dropout(stream, x, kKey, 1u << 16, 0.5, y), ConfigError);
  CHECK_THROWS_AS(kernels::channel_dropout(stream, x, kKey, 0, 0.5, other), ShapeError);
  CHECK_THROWS_AS(kernels::channel_dropout(stream, x, kKey, 0, 0.5, half), DTypeError);
}
