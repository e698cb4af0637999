#include "engine/data/cifar10_files.hpp"
#include "engine/data/dataset.hpp"
#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fmt/format.h>

using namespace ascore;
using Catch::Matchers::Contains;

TEST_CASE("the embedded digits are all there, 17 grey levels as value / 16") {
  const auto data = open_dataset({.name = "digits", .image_size = 8, .channels = 1}, 1);
  CHECK(data->sample_shape() == Shape{8, 8, 1});
  CHECK(data->size(Split::test) == 180);
  CHECK(data->size(Split::train) == 1617);
  std::vector<int> histogram(10);
  double sum = 0;
  float image[64];
  for (const Split split : {Split::train, Split::test}) {
    for (int64_t i = 0; i < data->size(split); ++i) {
      ++histogram[static_cast<size_t>(data->label(split, i))];
      data->read(split, i, image);
      for (const float value : image) {
        REQUIRE(value >= 0);
        REQUIRE(value <= 1);
        REQUIRE(value * 16 == std::round(value * 16));
        sum += 16 * value;
      }
    }
  }
  CHECK(histogram == std::vector<int>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180});
  CHECK(sum == 561718);  // of all 115,008 numbers in the file
}

TEST_CASE("held-out digits do not depend on the seed, and their share can be set") {
  const auto a = open_dataset({.name = "digits"}, 1), b = open_dataset({.name = "digits"}, 2);
  for (int64_t i = 0; i < a->size(Split::test); ++i) REQUIRE(a->label(Split::test, i) == b->label(Split::test, i));
  CHECK(open_dataset({.name = "digits", .test_fraction = 0.5}, 1)->size(Split::test) == 899);
  CHECK(open_dataset({.name = "digits", .test_fraction = 0}, 1)->size(Split::test) == 0);
  CHECK_THROWS_AS(open_dataset({.name = "digits", .test_fraction = 1}, 1), ConfigError);
}

TEST_CASE("cifar10 records become NHWC bytes") {
  ByteImages images;
  append_cifar10_file(ASCORE_TEST_DATA "/cifar10/first_12.bin", 12, images);
  CHECK(images.labels == std::vector<uint8_t>{6, 9, 9, 4, 1, 1, 2, 7, 8, 3, 4, 7});
  REQUIRE(images.pixels.size() == 12 * 3072);
  const auto raw = read_file(ASCORE_TEST_DATA "/cifar10/first_12.bin");
  for (size_t n = 0; n < 12; ++n) {
    for (size_t p = 0; p < 1024; ++p) {
      for (size_t c = 0; c < 3; ++c) {
        REQUIRE(images.pixels[(n * 1024 + p) * 3 + c] == std::to_integer<uint8_t>(raw[n * 3073 + 1 + c * 1024 + p]));
      }
    }
  }
}

TEST_CASE("a cifar10 folder opens whole, and names the file that is missing or broken") {
  test::TemporaryFolder folder;
  const DataConfig config{.name = "cifar10", .path = folder.path().string()};
  CHECK_THROWS_AS(open_dataset({.name = "cifar10"}, 1), ConfigError);
  CHECK_THROWS_WITH(open_dataset({.name = "cifar10", .path = "/nonexistent/cifar"}, 1), Contains("/nonexistent/cifar"));
  CHECK_THROWS_AS(open_dataset(config, 1), DataError);
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("data_batch_1.bin"));

  std::vector<std::byte> records(10'000 * 3073);  // black, label 3
  for (size_t n = 0; n < 10'000; ++n) records[n * 3073] = std::byte{3};
  for (int i = 1; i <= 5; ++i) test::write_quickly(folder / fmt::format("data_batch_{}.bin", i), records);
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("test_batch.bin"));
  test::write_quickly(folder / "test_batch.bin", std::span(records).first(3073 * 9'999));
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("test_batch.bin") && Contains("bytes"));
  records[0] = std::byte{200};
  records[5] = std::byte{255};  // red of pixel 4
  test::write_quickly(folder / "test_batch.bin", records);
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("label 200"));
  records[0] = std::byte{7};
  test::write_quickly(folder / "test_batch.bin", records);
  const auto data = open_dataset(config, 1);
  CHECK(data->sample_shape() == Shape{32, 32, 3});
  CHECK(data->size(Split::train) == 50'000);
  CHECK(data->size(Split::test) == 10'000);
  CHECK(data->label(Split::test, 0) == 7);
  std::vector<float> image(3072);
  data->read(Split::test, 0, image.data());
  CHECK(image[4 * 3] == 1);
  image[4 * 3] = 0;
  CHECK(image == std::vector<float>(3072));
}

TEST_CASE("impossible data settings are refused before training") {
  CHECK_THROWS_WITH(open_dataset({.name = "digit"}, 1), Contains("swissroll") && Contains("cifar10"));
  CHECK_THROWS_AS(open_dataset({.name = "digits", .image_size = 16}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset({.name = "digits", .channels = 3}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset({.name = "swissroll", .image_size = 8}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset({.name = "swissroll", .flip = true}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset({.name = "gaussians8", .transform = "rescale"}, 1), ConfigError);
  CHECK_THROWS_WITH(open_dataset({.name = "digits", .transform = "log"}, 1), Contains("none, rescale, logit"));
  CHECK_THROWS_WITH(open_dataset({.name = "digits", .dequantize = "u"}, 1), Contains("none, uniform, gaussian"));
  const auto data = open_dataset({.name = "digits"}, 1);
  float image[64];
  CHECK_THROWS_AS(data->read(Split::train, -1, image), DataError);
  CHECK_THROWS_AS(data->read(Split::test, 180, image), DataError);
}
