#include "engine/data/loader.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <thread>

using namespace ascore;

namespace {

std::vector<Batch> take(Loader& loader, int count) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) batches.push_back(loader.next());
  return batches;
}

bool same(const Batch& a, const Batch& b) {
  return a.number == b.number && a.values == b.values && a.labels == b.labels && a.indices == b.indices;
}

// 2x3 images of two channels that hold their index and place; breaks at sample `broken`.
class Counting final : public Dataset {
 public:
  explicit Counting(int64_t size, int64_t broken = -1) : Dataset({2, 3, 2}, {}, 0), size_(size), broken_(broken) {}
  int64_t size(Split split) const override { return split == Split::train ? size_ : size_ / 2; }
  int64_t label(Split, int64_t index) const override { return index % 10; }

 protected:
  void load(Split, int64_t index, float* out) const override {
    if (index == broken_) throw DataError("sample is broken");
    for (int i = 0; i < 12; ++i) out[i] = static_cast<float>(index * 100 + i);
  }

 private:
  int64_t size_, broken_;
};

}  // namespace

TEST_CASE("epoch orders are permutations that differ by epoch and seed, and treat every place alike") {
  const std::vector<int64_t> order = epoch_order(7, 0, 1000);
  CHECK(std::set(order.begin(), order.end()).size() == 1000);
  CHECK(*std::ranges::max_element(order) == 999);
  CHECK(order == epoch_order(7, 0, 1000));
  CHECK(order != epoch_order(7, 1, 1000));
  CHECK(order != epoch_order(8, 0, 1000));
  CHECK(epoch_order(7, 0, 0).empty());
  CHECK(epoch_order(7, 0, 1) == std::vector<int64_t>{0});
  int count[4][4] = {};  // how often value v stands at place p: 600 of 2,400 each
  for (uint32_t epoch = 0; epoch < 2400; ++epoch) {
    const auto small = epoch_order(1, epoch, 4);
    for (size_t p = 0; p < 4; ++p) ++count[p][small[p]];
  }
  for (const auto& place : count) {
    for (const int n : place) CHECK(std::abs(n - 600) < 110);  // five standard deviations
  }
}

TEST_CASE("an epoch visits every sample once, dropping the last partial batch") {
  const Counting data(23);
  Loader loader(data, Split::train, 5, true, false, 3);
  CHECK(loader.batches_per_epoch() == 4);
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::set<int64_t> seen;
    for (const Batch& batch : take(loader, 4)) {
      seen.insert(batch.indices.begin(), batch.indices.end());
      for (size_t i = 0; i < 5; ++i) {
        CHECK(batch.values[i * 12 + 7] == static_cast<float>(batch.indices[i] * 100 + 7));
        CHECK(batch.labels[i] == batch.indices[i] % 10);
      }
    }
    CHECK(seen.size() == 20);
  }
}

TEST_CASE("a loader that starts at batch k continues what another had begun") {
  const auto data = open_dataset({.name = "digits", .dequantize = "uniform"}, 5);
  Loader whole(*data, Split::train, 200, true, true, 11);  // 8 batches an epoch
  const std::vector<Batch> batches = take(whole, 20);
  CHECK_FALSE(batches[0].values == batches[8].values);
  const int64_t start = GENERATE(0, 1, 7, 8, 13);
  Loader resumed(*data, Split::train, 200, true, true, 11, start);
  for (int64_t k = start; k < 20; ++k) {
    CAPTURE(k);
    REQUIRE(same(resumed.next(), batches[static_cast<size_t>(k)]));
  }
}

TEST_CASE("the shares of ranks, one after the other, are the batch, flips and dequantisation noise included") {
  const auto data = open_dataset({.name = "digits", .dequantize = "uniform"}, 5);
  const int64_t size = 37;
  const int ranks = GENERATE(1, 2, 4, 37);
  CAPTURE(ranks);
  Loader whole(*data, Split::train, size, true, true, 11, 40);  // goes on into the second epoch, which begins at 43
  std::vector<std::unique_ptr<Loader>> parts;
  for (int rank = 0; rank < ranks; ++rank) {
    const Share share = share_of(size, rank, ranks);
    CHECK((share.count == size / ranks || share.count == size / ranks + 1));
    parts.push_back(std::make_unique<Loader>(*data, Split::train, size, true, true, 11, 40, share));
    CHECK(parts.back()->batches_per_epoch() == whole.batches_per_epoch());
  }
  for (int k = 0; k < 5; ++k) {
    Batch joined{.number = 40 + k, .values = {}, .labels = {}, .indices = {}};
    for (const auto& part : parts) {
      const Batch more = part->next();
      joined.values.insert(joined.values.end(), more.values.begin(), more.values.end());
      joined.labels.insert(joined.labels.end(), more.labels.begin(), more.labels.end());
      joined.indices.insert(joined.indices.end(), more.indices.begin(), more.indices.end());
    }
    REQUIRE(same(joined, whole.next()));
  }
}

TEST_CASE("a share that is empty or no part of the batch is refused") {
  const Counting data(10);
  const auto [first, count] = GENERATE(table<int64_t, int64_t>({{0, 0}, {-1, 2}, {3, 2}}));
  const Share share{first, count};
  CHECK_THROWS_AS(Loader(data, Split::train, 4, false, false, 1, 0, share), ConfigError);
}

TEST_CASE("loaders that run at the same time do not disturb each other") {
  const auto data = open_dataset({.name = "gaussians25"}, 5);
  Loader reference(*data, Split::train, 64, true, false, 2);
  const std::vector<Batch> expected = take(reference, 30);
  std::vector<std::vector<Batch>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&data, &result] {
      Loader loader(*data, Split::train, 64, true, false, 2);
      for (int i = 0; i < 30; ++i) {
        result.push_back(loader.next());
        if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(std::ranges::equal(result, expected, same));
}

TEST_CASE("half of the training images are mirrored, anew each epoch, and no test image is") {
  const Counting data(400);
  const auto flips = [&](Split split, int skip) {
    Loader loader(data, split, 200, false, true, 9, skip);
    const Batch batch = loader.next();
    std::vector<bool> flipped;
    for (size_t i = 0; i < 200; ++i) {
      const float base = static_cast<float>(batch.indices[i] * 100);
      const float* image = &batch.values[i * 12];
      const std::vector<float> plain{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
          mirrored{4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7};
      flipped.push_back(image[0] != base);
      for (size_t j = 0; j < 12; ++j) REQUIRE(image[j] - base == (flipped.back() ? mirrored : plain)[j]);
    }
    return flipped;
  };
  const auto first = flips(Split::train, 0), next_epoch = flips(Split::train, 2);
  CHECK(std::abs(std::ranges::count(first, true) - 100) < 36);
  CHECK(first != next_epoch);
  CHECK(std::ranges::count(flips(Split::test, 0), true) == 0);
}

TEST_CASE("an unshuffled loader reads in order, again and again") {
  const Counting data(10);
  Loader loader(data, Split::test, 2, false, false, 1);
  const auto batches = take(loader, 3);
  CHECK(batches[0].indices == std::vector<int64_t>{0, 1});
  CHECK(batches[1].indices == std::vector<int64_t>{2, 3});
  CHECK(batches[2].indices == std::vector<int64_t>{0, 1});
}

TEST_CASE("what breaks in the reading thread surfaces in next, after the batches before it") {
  const Counting data(10, 4);
  Loader loader(data, Split::train, 2, false, false, 1);
  CHECK(loader.next().indices[0] == 0);
  CHECK(loader.next().indices[0] == 2);
  CHECK_THROWS_AS(loader.next(), DataError);
  CHECK_THROWS_AS(loader.next(), DataError);
}

TEST_CASE("a loader ends at once, read ahead or not, and refuses impossible batches") {
  const Counting data(10);
  for (int i = 0; i < 50; ++i) Loader(data, Split::train, 3, true, false, 1);
  CHECK_THROWS_AS(Loader(data, Split::train, 11, true, false, 1), ConfigError);
  CHECK_THROWS_AS(Loader(data, Split::train, 0, true, false, 1), ConfigError);
  CHECK_THROWS_AS(Loader(data, Split::train, 1, true, false, 1, -1), ConfigError);
  const auto points = open_dataset({.name = "swissroll"}, 1);
  CHECK_THROWS_AS(Loader(*points, Split::train, 4, true, true, 1), ConfigError);
}
