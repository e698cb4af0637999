#include "engine/io/image_grid.hpp"

#include "engine/io/scatter.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("a grid leaves gaps and enlarges small pictures by a whole factor") {
  const auto [N, H, W, C, columns, factor, expected_columns] = GENERATE(table<int, int, int, int, int, int, int>({
      {5, 8, 8, 1, 0, 8, 3},
      {4, 32, 32, 3, 0, 2, 2},
      {3, 28, 28, 1, 5, 3, 3},
      {7, 64, 64, 3, 4, 1, 4},
      {2, 100, 70, 1, 1, 1, 1},
      {1, 5, 40, 3, 0, 13, 1},
  }));
  CAPTURE(N, H, W, C);
  HostTensor images({N, H, W, C}, DType::u8);
  for (size_t i = 0; i < images.bytes.size(); ++i) images.bytes[i] = static_cast<std::byte>(i * 31 % 251);
  const int gap = 3;
  const HostTensor grid = make_grid(images, {.columns = columns, .gap = gap, .min_side = 64, .gap_value = 255});
  const int rows = (N + expected_columns - 1) / expected_columns;
  REQUIRE(grid.shape == Shape{rows * (H * factor + gap) + gap, expected_columns * (W * factor + gap) + gap, C});
  int64_t mismatches = 0;
  for (int64_t y = 0; y < grid.shape[0]; ++y) {
    for (int64_t x = 0; x < grid.shape[1]; ++x) {
      const int64_t row = (y - gap) / (H * factor + gap), column = (x - gap) / (W * factor + gap);
      const int64_t inner_y = y - gap - row * (H * factor + gap), inner_x = x - gap - column * (W * factor + gap);
      const int64_t n = row * expected_columns + column;
      const bool inside =
          y >= gap && x >= gap && inner_y < H * factor && inner_x < W * factor && n < N && column < expected_columns;
      for (int64_t c = 0; c < C; ++c) {
        const int value = grid.as<uint8_t>()[static_cast<size_t>((y * grid.shape[1] + x) * C + c)];
        const int64_t from = ((n * H + inner_y / factor) * W + inner_x / factor) * C + c;
        mismatches += value != (inside ? images.as<uint8_t>()[static_cast<size_t>(from)] : 255);
      }
    }
  }
  CHECK(mismatches == 0);
}

TEST_CASE("a grid refuses what are no images") {
  CHECK_THROWS_AS(make_grid(HostTensor({0, 8, 8, 1}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(make_grid(HostTensor({1, 8, 8, 2}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(make_grid(HostTensor({1, 8, 8, 1}, DType::f32)), DTypeError);
}

TEST_CASE("a scatter plot puts a dot where its point is") {
  const double x = 1.0, y = -0.5;
  const HostTensor points = HostTensor::from(std::vector<float>{float(x), float(y), 5, 0, NAN, 0}, {3, 2});
  const HostTensor picture = draw_scatter({{.points = points, .color = {255, 0, 0}, .opacity = 1, .radius = 3}});
  REQUIRE(picture.shape == Shape{512, 512, 3});
  const auto pixel = [&](int64_t column, int64_t row, int64_t c) {
    return int{picture.as<uint8_t>()[static_cast<size_t>((row * 512 + column) * 3 + c)]};
  };
  const int64_t column = 384, row = 320;  // (1 + 2) * 128, (2 + 0.5) * 128
  CHECK(pixel(column, row, 0) == 255);
  CHECK(pixel(column, row, 1) == 0);
  CHECK(pixel(column + 10, row, 1) == 255);
  double ink = 0;  // of the green channel: the covered area
  for (int64_t j = row - 6; j < row + 6; ++j) {
    for (int64_t i = column - 6; i < column + 6; ++i) ink += (255 - pixel(i, j, 1)) / 255.0;
  }
  CHECK(ink == Approx(M_PI * 9).epsilon(0.05));
  CHECK(pixel(20, 20, 0) == 255);   // white
  CHECK(pixel(256, 20, 0) == 225);  // the axis
}

TEST_CASE("overlapping dots add up to density") {
  const auto darkness = [](int64_t count) {
    const HostTensor points(Shape{count, 2}, DType::f32);
    const HostTensor picture = draw_scatter({{.points = points}}, {.low = -1, .high = 1, .pixels = 33});
    return 255 - int{picture.as<uint8_t>()[(16 * 33 + 16) * 3]};
  };
  CHECK(darkness(1) < darkness(3));
  CHECK(darkness(3) < darkness(10));
}
