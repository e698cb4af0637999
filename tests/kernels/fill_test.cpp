#include "kernels/fill/fill.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("fill writes every element, and nothing else") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const Shape shape = GENERATE(Shape{1}, Shape{3, 257}, Shape{0});
  CAPTURE(name(device), name(dtype), to_string(shape));
  Stream stream(device);
  auto y = test::poisoned(device, shape, dtype);
  kernels::fill(stream, y, 0.1);
  stream.synchronize();
  if (shape.count()) test::require_kernels_ran(stream);
  const double expected = dtype == DType::bf16 ? test::round_bf16(0.1) : test::round_f32(0.1);
  CHECK(y.values() == std::vector<double>(static_cast<size_t>(shape.count()), expected));
}
