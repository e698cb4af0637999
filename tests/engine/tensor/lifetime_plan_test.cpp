#include "engine/tensor/lifetime_plan.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <random>

using namespace ascore;

namespace {

/// Blocks of a step that goes forward and back: what `layers` keep, and what each needs for a moment.
std::vector<Lifetime> step(int layers, uint32_t seed) {
  std::mt19937 random(seed);
  const auto size = [&] { return size_t{512} << random() % 8; };
  std::vector<Lifetime> blocks;
  size_t now = 0;
  const size_t end = 8 * static_cast<size_t>(layers);
  for (int i = 0; i < layers; ++i, now += 4) {
    blocks.push_back({size(), now, end - now});
    blocks.push_back({size(), now + 1, now + 2 + random() % 6});
    blocks.push_back({size(), end - now - 3, end - now + 1});
  }
  blocks.push_back({512, 3});  // for ever
  return blocks;
}

size_t most_at_once(const std::vector<Lifetime>& blocks) {
  size_t most = 0;
  for (size_t now = 0; now < 2000; ++now) {
    size_t live = 0;
    for (const Lifetime& b : blocks) live += b.begin <= now && now < b.end ? b.bytes : 0;
    most = std::max(most, live);
  }
  return most;
}

}  // namespace

TEST_CASE("blocks that live at the same time do not overlap, and the arena is little larger than what lives at once") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const std::vector<Lifetime> blocks = step(60, seed);
    const LifetimePlan plan = plan_lifetimes(blocks);
    REQUIRE(plan.offsets.size() == blocks.size());
    size_t overlaps = 0, beyond = 0;
    for (size_t i = 0; i < blocks.size(); ++i) {
      beyond += plan.offsets[i] + blocks[i].bytes > plan.bytes || plan.offsets[i] % 512 != 0;
      for (size_t j = 0; j < i; ++j) {
        const bool together = blocks[i].begin < blocks[j].end && blocks[j].begin < blocks[i].end;
        overlaps += together && plan.offsets[i] < plan.offsets[j] + blocks[j].bytes &&
                    plan.offsets[j] < plan.offsets[i] + blocks[i].bytes;
      }
    }
    CHECK(overlaps == 0);
    CHECK(beyond == 0);
    CHECK(plan.peak == most_at_once(blocks));
    CHECK(plan.bytes >= plan.peak);
    CHECK(static_cast<double>(plan.bytes) <= 1.1 * static_cast<double>(plan.peak));
  }
}

TEST_CASE("a block takes the smallest gap that holds it; nothing needs nothing") {
  // two gaps stay open below the last block, of 3 and of 2 granules
  const std::vector<Lifetime> blocks = {
      {3 * 512, 0, 1}, {8 * 512, 0, 9}, {2 * 512, 0, 2}, {7 * 512, 0, 9}, {2 * 512, 3, 4}};
  const LifetimePlan plan = plan_lifetimes(blocks);
  CHECK(plan.bytes == plan.peak);
  CHECK(plan_lifetimes({}).bytes == 0);
  CHECK(plan_lifetimes({}).peak == 0);
}
