#include "kernels/concat/concat.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("concat_channels and split_channels put every channel in its place") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(filter([device](DType d) { return d != DType::f64 || device == Device::cpu; },
                                          values({DType::f32, DType::bf16, DType::f64})));
  // Whole packs of 16 bytes; odd widths; more pixels than a block has threads; no image.
  const auto [N, H, W, A, B] = GENERATE(table<int64_t, int64_t, int64_t, int64_t, int64_t>(
      {{2, 3, 5, 8, 16}, {1, 4, 3, 3, 1}, {2, 7, 13, 5, 2}, {1, 1, 1, 1, 1}, {0, 2, 3, 4, 8}}));
  CAPTURE(name(device), name(dtype), N, H, W, A, B);
  const auto a = test::data(device, {N, H, W, A}, dtype, test::Fill::normal, 1);
  const auto b = test::data(device, {N, H, W, B}, dtype, test::Fill::normal, 2);
  std::vector<double> expected;
  const auto as = a.values(), bs = b.values();
  for (int64_t p = 0; p < N * H * W; ++p) {
    expected.insert(expected.end(), as.begin() + p * A, as.begin() + (p + 1) * A);
    expected.insert(expected.end(), bs.begin() + p * B, bs.begin() + (p + 1) * B);
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, {N, H, W, A + B}, dtype);
    kernels::concat_channels(stream, a, b, y);
    auto to_a = test::poisoned(device, {N, H, W, A}, dtype), to_b = test::poisoned(device, {N, H, W, B}, dtype);
    kernels::split_channels(stream, y, to_a, {});
    kernels::split_channels(stream, y, {}, to_b);
    auto both_a = test::poisoned(device, {N, H, W, A}, dtype), both_b = test::poisoned(device, {N, H, W, B}, dtype);
    kernels::split_channels(stream, y, both_a, both_b);
    stream.synchronize();
    if (N > 0) test::require_kernels_ran(stream);
    CHECK(y.values() == expected);
    CHECK(to_a.values() == as);
    CHECK(to_b.values() == bs);
    CHECK(both_a.values() == as);
    CHECK(both_b.values() == bs);
  }
}

TEST_CASE("concat_channels refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto a = test::data(device, {1, 2, 3, 4}), b = test::data(device, {1, 2, 3, 5});
  auto y = test::poisoned(device, {1, 2, 3, 9}), narrow = test::poisoned(device, {1, 2, 3, 8});
  auto half = test::poisoned(device, {1, 2, 3, 9}, DType::bf16);
  CHECK_THROWS_AS(kernels::concat_channels(stream, a, b, narrow), ShapeError);
  CHECK_THROWS_AS(kernels::concat_channels(stream, a, test::data(device, {1, 3, 2, 5}), y), ShapeError);
  CHECK_THROWS_AS(kernels::concat_channels(stream, a, b, half), DTypeError);
  CHECK_THROWS_AS(kernels::split_channels(stream, a, test::poisoned(device, {1, 2, 3, 4}), {}), ShapeError);
}
