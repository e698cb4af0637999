#include "engine/io/host_tensor.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("host tensors guard their shape and element type") {
  const std::vector<float> values{1, 2, 3};
  CHECK_THROWS_AS(HostTensor::from(values, {2}), ShapeError);
  const HostTensor x = HostTensor::from(values, {3});
  CHECK(x.as<float>()[2] == 3);
  CHECK_THROWS_AS(x.as<double>(), DTypeError);
  CHECK(x.to_doubles() == std::vector<double>{1, 2, 3});
}

TEST_CASE("channels_last is numpy's transpose, and channels_first its inverse") {
  const Shape shape = GENERATE(Shape{2, 3, 4, 5}, Shape{2, 2, 3, 1, 4}, Shape{1, 1, 1, 1}, Shape{0, 3, 2, 2});
  HostTensor x(shape, DType::i32);
  for (size_t i = 0; i < x.as<int32_t>().size(); ++i) x.as<int32_t>()[i] = static_cast<int32_t>(i);
  const HostTensor y = channels_last(x);
  const int rank = shape.rank();
  const int64_t C = shape[-3], H = shape[-2], W = shape[-1];
  CHECK(y.shape.dim(rank - 3) == H);
  CHECK(y.shape.dim(rank - 2) == W);
  CHECK(y.shape.dim(rank - 1) == C);
  for (int64_t i = 0; i < x.count(); ++i) {
    const int64_t w = i % W, h = i / W % H, c = i / (W * H) % C, n = i / (W * H * C);
    REQUIRE(y.as<int32_t>()[static_cast<size_t>(((n * H + h) * W + w) * C + c)] == i);
  }
  CHECK(channels_first(y) == x);
}

TEST_CASE("arrays of lower rank keep their layout") {
  const HostTensor x = HostTensor::from(std::vector<double>{1, 2, 3, 4}, {2, 2});
  CHECK(channels_last(x) == x);
  CHECK(channels_first(x) == x);
}

TEST_CASE("upload and download carry every element type unchanged") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f64, DType::f32, DType::bf16, DType::i64, DType::i32, DType::u8);
  test::Bench bench(device);
  const HostTensor x = HostTensor::from_doubles(std::vector<double>{1, 2, 3, 4, 5, 6}, {2, 3}, dtype);
  CHECK(download(bench.stream, upload(bench.ctx, x)) == x);
}
