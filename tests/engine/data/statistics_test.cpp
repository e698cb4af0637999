#include "engine/data/statistics.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("statistics of the digits match a plain count") {
  const auto data = open_dataset({.name = "digits", .test_fraction = 0}, 1);
  const DataStatistics facts = data_statistics(*data, Split::train);
  CHECK(facts.count == 1797);
  CHECK(facts.sample_shape == Shape{8, 8, 1});
  REQUIRE(facts.channels.size() == 1);
  CHECK(facts.channels[0].min == 0);
  CHECK(facts.channels[0].max == 1);
  CHECK(facts.channels[0].mean == Approx(561718.0 / (1797 * 64) / 16));
  CHECK(facts.labels == std::vector<int64_t>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180});
  CHECK_THROWS_AS(data_statistics(*data, Split::test), ConfigError);
}

TEST_CASE("statistics are per coordinate") {
  const auto data = open_dataset({.name = "gaussians25"}, 1);
  const DataStatistics facts = data_statistics(*data, Split::test);
  REQUIRE(facts.channels.size() == 2);
  for (const ChannelStatistics& channel : facts.channels) {
    CHECK(channel.mean == Approx(0).margin(0.05));
    CHECK(channel.deviation == Approx(std::sqrt(8.0) / 2.828).epsilon(0.02));  // of {-4,-2,0,2,4}, and a little noise
  }
}

TEST_CASE("the largest distance within mini-batches is the largest of all pairs when one batch holds all") {
  const auto data = open_dataset({.name = "digits", .test_fraction = 0.9}, 1);
  const int64_t size = data->size(Split::train);
  std::vector<std::vector<float>> images(static_cast<size_t>(size), std::vector<float>(64));
  for (int64_t i = 0; i < size; ++i) data->read(Split::train, i, images[static_cast<size_t>(i)].data());
  double largest = 0;
  for (const auto& a : images) {
    for (const auto& b : images) {
      double sum = 0;
      for (size_t j = 0; j < 64; ++j) sum += (double{a[j]} - b[j]) * (double{a[j]} - b[j]);
      largest = std::max(largest, std::sqrt(sum));
    }
  }
  CHECK(largest_pairwise_distance(*data, Split::train, size, 1) == Approx(largest).epsilon(1e-6));
  const double estimate = largest_pairwise_distance(*data, Split::train, 32, 1);
  CHECK(estimate <= largest * (1 + 1e-6));
  CHECK(estimate > 0.85 * largest);
  CHECK(largest_pairwise_distance(*data, Split::train, 32, 1, 1) <= estimate);
  CHECK_THROWS_AS(largest_pairwise_distance(*data, Split::train, 1, 1), ConfigError);
}
