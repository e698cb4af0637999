#include "engine/data/mnist.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mnist.hpp"
#include "tests/support/temporary_folder.hpp"

#include <set>

using namespace ascore;

namespace {

/// The digit (image of write_tiny_mnist) in one channel of a sample; -1 if it is none.
int digit_in(const std::vector<float>& sample, int channel, int digits) {
  for (int n = 0; n < digits; ++n) {
    bool equal = true;
    for (int p = 0; p < 28 * 28 && equal; ++p) {
      const int value = p % 5 == 0 ? (p + n) % 251 : 0;
      equal = sample[static_cast<size_t>(3 * p + channel)] == static_cast<float>(value) / 255.0f;
    }
    if (equal) return n;
  }
  return -1;
}

}  // namespace

TEST_CASE("stackedmnist stacks three digits of its split, and the label counts them") {
  test::TemporaryFolder folder;
  test::write_tiny_mnist(folder.path(), 40, 10, true);
  const auto data = open_dataset({.name = "stackedmnist", .path = folder.path().string()}, 7);
  CHECK(data->sample_shape() == Shape{28, 28, 3});
  CHECK(data->size(Split::train) == 40);
  CHECK(data->size(Split::test) == 10);
  std::vector<float> sample(28 * 28 * 3);
  std::set<std::vector<int>> combinations;
  std::set<int> digits;
  for (const Split split : {Split::train, Split::test}) {
    for (int64_t i = 0; i < data->size(split); ++i) {
      data->read(split, i, sample.data());
      std::vector<int> stacked;
      int64_t label = 0;
      for (int c = 0; c < 3; ++c) {
        stacked.push_back(digit_in(sample, c, static_cast<int>(data->size(split))));
        REQUIRE(stacked.back() >= 0);
        label = 10 * label + stacked.back() % 10;
      }
      CHECK(data->label(split, i) == label);
      if (split == Split::train) digits.insert(stacked.begin(), stacked.end());
      combinations.insert(stacked);
    }
  }
  CHECK(combinations.size() >= 48);  // 50 draws of 64,000 and 1,000 combinations
  CHECK(digits.size() >= 30);        // 120 draws of 40: 38 in the mean
}

TEST_CASE("a stackedmnist sample is a function of seed and index") {
  test::TemporaryFolder folder;
  test::write_tiny_mnist(folder.path(), 40, 10, false);
  const DataConfig config{.name = "stackedmnist", .path = folder.path().string()};
  const auto a = open_dataset(config, 7), again = open_dataset(config, 7), other = open_dataset(config, 8);
  std::vector<float> x(28 * 28 * 3), y(x.size());
  int same = 0;
  for (int64_t i = 39; i >= 0; --i) {
    a->read(Split::train, i, x.data());
    again->read(Split::train, i, y.data());
    CHECK(x == y);
    other->read(Split::train, i, y.data());
    same += x == y;
  }
  CHECK(same < 3);
  CHECK_THROWS_AS(open_dataset({.name = "stackedmnist"}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset({.name = "stackedmnist", .path = folder.path().string(), .image_size = 32}, 1),
                  ConfigError);
}
