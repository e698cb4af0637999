#include "kernels/core/philox.hpp"

#include "kernels/core/distributions.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <array>
#include <numeric>

using namespace ascore;

TEST_CASE("philox gives the published known answers") {
  // Random123, kat_vectors: philox4x32 10.
  struct Case {
    RandomBits counter;
    uint64_t key;
    RandomBits answer;
  };
  const Case cases[] = {
      {{{0, 0, 0, 0}}, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
      {{{~0u, ~0u, ~0u, ~0u}}, ~uint64_t(0), {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
      {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
       0x299f31d0a4093822,
       {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
  };
  for (const Case& c : cases) {
    const RandomBits bits = philox(c.counter, c.key);
    for (int i = 0; i < 4; ++i) CHECK(bits.word[i] == c.answer.word[i]);
  }
}

TEST_CASE("random_bits tells apart seed, stream, sample, step and group") {
  const NoiseKey base{.seed = 7, .stream = 3, .first_sample = 17, .step = 5};
  NoiseKey other_seed = base, other_sample = base, high_sample = base;
  other_seed.seed = 8;
  other_sample.first_sample = 18;
  high_sample.first_sample = 17 + (uint64_t(1) << 32);
  const std::array<uint32_t, 7> words = {random_bits(base, 0, 0).word[0],
                                         random_bits(other_seed, 0, 0).word[0],
                                         random_bits(base.with_stream(4), 0, 0).word[0],
                                         random_bits(other_sample, 0, 0).word[0],
                                         random_bits(high_sample, 0, 0).word[0],
                                         random_bits(base.at_step(6), 0, 0).word[0],
                                         random_bits(base, 0, 1).word[0]};
  for (size_t i = 0; i < words.size(); ++i) {
    for (size_t j = 0; j < i; ++j) CHECK(words[i] != words[j]);
  }
  CHECK(random_bits(base, 1, 0).word[2] ==
        random_bits(other_sample, 0, 0).word[2]);  // a row is its sample, not its place
}

TEST_CASE("draw_group covers every element of every row once") {
  for (int64_t width : {1, 2, 3, 4, 5, 7, 8, 9}) {
    const int64_t rows = 3;
    std::vector<int> seen(static_cast<size_t>(rows * width), 0);
    for (int64_t i = 0; i < rows * groups_of(width); ++i) {
      const DrawGroup at = draw_group(i, width);
      CHECK(at.offset / width == at.row);
      CHECK(at.offset % width == 4 * at.group);
      for (int j = 0; j < at.count; ++j) ++seen[static_cast<size_t>(at.offset + j)];
    }
    CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
  }
}

TEST_CASE("log and sincos agree with double") {
  double worst_log = 0, worst_sin = 0, worst_cos = 0, worst_norm = 0;
  for (uint32_t i = 0; i < 2'000'000; ++i) {
    const uint32_t bits = philox({{i, 0, 0, 0}}, 1).word[0];
    // Half of the arguments from all over (0, 1], half close to 1, where log loses its leading digits.
    const float u = i % 2 ? uniform_from_bits(bits) : 1.0f - static_cast<float>(bits >> 12) * 0x1p-24f;
    if (u < 1) worst_log = std::max(worst_log, std::abs(exact::log(u) / std::log(double(u)) - 1));
    const exact::SinCos got = exact::sincos_of_turn(bits);
    const double angle = 2 * M_PI * bits / 4294967296.0;
    worst_sin = std::max(worst_sin, std::abs(got.sin - std::sin(angle)));
    worst_cos = std::max(worst_cos, std::abs(got.cos - std::cos(angle)));
    worst_norm = std::max(worst_norm, std::abs(double(got.sin) * got.sin + double(got.cos) * got.cos - 1));
  }
  CHECK(exact::log(1.0f) == 0);
  CHECK(worst_log < 2e-7);
  CHECK(worst_sin < 1.2e-7);
  CHECK(worst_cos < 1.2e-7);
  CHECK(worst_norm < 2.5e-7);
}

TEST_CASE("uniforms lie in (0, 1] and normals are finite at the ends of the range") {
  CHECK(uniform_from_bits(0) > 0);
  CHECK(uniform_from_bits(~0u) == 1);
  CHECK(index_from_bits(0, 10) == 0);
  CHECK(index_from_bits(~0u, 10) == 9);
  for (uint32_t a : {0u, 1u, ~0u, 0x80000000u}) {
    for (uint32_t b : {0u, 0x1fffffffu, 0x20000000u, 0x80000000u, ~0u}) {
      const Draws z = normals({{a, b, b, a}});
      for (float value : z.value) CHECK(std::abs(value) < 6.8f);
    }
  }
}
