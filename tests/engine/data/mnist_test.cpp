#include "engine/data/mnist.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mnist.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fstream>

using namespace ascore;
using Catch::Matchers::Contains;

TEST_CASE("mnist opens from its four files, packed or not, 28 pixels wide or padded to 32") {
  test::TemporaryFolder folder;
  const bool packed = GENERATE(false, true);
  const int side = GENERATE(0, 28, 32);
  test::write_tiny_mnist(folder.path(), 13, 4, packed);
  const auto data =
      open_dataset({.name = "mnist", .path = folder.path().string(), .image_size = side, .channels = 1}, 1);
  const int64_t S = side ? side : 28, margin = (S - 28) / 2;
  CHECK(data->sample_shape() == Shape{S, S, 1});
  CHECK(data->size(Split::train) == 13);
  CHECK(data->size(Split::test) == 4);
  CHECK(data->label(Split::train, 12) == 2);
  CHECK(data->label(Split::test, 3) == 3);
  std::vector<float> image(static_cast<size_t>(S * S));
  data->read(Split::train, 7, image.data());
  for (int64_t y = 0; y < S; ++y) {
    for (int64_t x = 0; x < S; ++x) {
      const int64_t row = y - margin, column = x - margin, p = row * 28 + column;
      const bool inside = row >= 0 && row < 28 && column >= 0 && column < 28;
      const int64_t value = inside && p % 5 == 0 ? (p + 7) % 251 : 0;
      REQUIRE(image[static_cast<size_t>(y * S + x)] == static_cast<float>(value) / 255.0f);
    }
  }
}

TEST_CASE("an mnist folder that is not whole names the file") {
  test::TemporaryFolder folder;
  const DataConfig config{.name = "mnist", .path = folder.path().string()};
  CHECK_THROWS_AS(open_dataset({.name = "mnist"}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset(config, 1), DataError);
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("train-images-idx3-ubyte"));
  test::write_tiny_mnist(folder.path(), 3, 2, false);
  CHECK_THROWS_AS(read_mnist(folder.path(), 64), ConfigError);
  test::write_tiny_mnist(folder / "other", 2, 2, false);
  const auto replace = [&](const char* from, const char* to) {
    std::filesystem::copy_file(folder / "other" / from, folder / to, std::filesystem::copy_options::overwrite_existing);
  };
  replace("train-labels-idx1-ubyte", "train-labels-idx1-ubyte");
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("3 train images, but 2 labels"));
  replace("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("train-labels-idx1-ubyte") && Contains("u8 [N]"));
  replace("train-labels-idx1-ubyte", "train-images-idx3-ubyte");
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("u8 [N,28,28]"));
  test::write_tiny_mnist(folder.path(), 3, 2, false);
  std::fstream labels(folder / "t10k-labels-idx1-ubyte", std::ios::in | std::ios::out | std::ios::binary);
  labels.seekp(9);
  labels.put('\x0a');
  labels.close();
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("t10k image 1 has the label 10"));
}
