#include "engine/training/noise_levels.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("noise levels fall from begin to end, by a constant ratio or a constant difference") {
  const auto geometric = noise_levels(50, 0.01, 232, Spacing::geometric);
  REQUIRE(geometric.size() == 232);
  CHECK(geometric.front() == 50);
  CHECK(geometric.back() == 0.01);
  const double ratio = std::pow(0.01 / 50, 1.0 / 231);
  for (size_t i = 1; i < geometric.size(); ++i) CHECK(geometric[i] / geometric[i - 1] == Approx(ratio).epsilon(1e-12));

  const auto linear = noise_levels(NoiseConfig{4, 1, 4, Spacing::linear});
  CHECK(linear == std::vector<double>{4, 3, 2, 1});
  CHECK(noise_levels(2, 1, 1, Spacing::geometric) == std::vector<double>{2});
}

TEST_CASE("noise levels that make no sense are refused, naming what was given") {
  CHECK_THROWS_AS(noise_levels(0.01, 50, 10, Spacing::geometric), ConfigError);
  CHECK_THROWS_AS(noise_levels(1, 0, 10, Spacing::linear), ConfigError);
  CHECK_THROWS_AS(noise_levels(1, 0.1, 0, Spacing::linear), ConfigError);
  CHECK_THROWS_AS(noise_levels(INFINITY, 0.1, 3, Spacing::geometric), ConfigError);
  CHECK_THROWS_WITH(noise_levels(NoiseConfig{1, 2, 10, Spacing::linear}),
                    Catch::Contains("noise.sigma_begin = 1") && Catch::Contains("above noise.sigma_end"));
  CHECK_THROWS_WITH(check(NoiseConfig{2, 1, 1, Spacing::linear}), Catch::Contains("noise.levels = 1"));
  CHECK_THROWS_AS(check(NoiseConfig{2, NAN, 9, Spacing::linear}), ConfigError);
}

TEST_CASE("the number of levels follows Technique 2") {
  // CIFAR-10, as mathematics.md states
  CHECK(level_rule(0.5, 3072, 50, 0.01).levels == Approx(226.77).margin(0.005));
  CHECK(level_rule(0.99, 3072, 50, 0.01).levels == Approx(1033.28).margin(0.005));
  const LevelRule rule = level_rule(0.5, 3072, 50, 0.01);
  CHECK(rule.ratio * 1e6 == Approx(std::round(rule.ratio * 1e6)).epsilon(1e-12));  // a point of the grid
  CHECK_THROWS_AS(level_rule(1, 3072, 50, 0.01), ConfigError);
  CHECK_THROWS_AS(level_rule(0.5, 0, 50, 0.01), ConfigError);
  CHECK_THROWS_AS(level_rule(0.5, 10, 0.01, 50), ConfigError);
}

TEST_CASE("settings of training have names that parse back, and are checked") {
  for (const char* loss :
       {"gan", "wgan", "hinge", "rpgan", "ragan", "lsgan", "lsgan_sat", "rplsgan", "ralsgan", "rahinge"}) {
    CHECK(std::string(name(parse_gan_loss(loss))) == loss);
  }
  CHECK(std::string(name(parse_spacing("linear"))) == "linear");
  CHECK(std::string(name(parse_score_target("dae"))) == "dae");
  for (const char* loss : {"l2", "l1", "l1_msssim"}) CHECK(std::string(name(parse_dsm_loss(loss))) == loss);
  CHECK_THROWS_WITH(parse_dsm_loss("l3"), "unknown score matching loss \"l3\": use one of l2, l1, l1_msssim");
  CHECK_THROWS_AS(check(AdversarialConfig{.critic_steps = 0}), ConfigError);
  CHECK_THROWS_AS(check(AdversarialConfig{.lambda_dsm = -1}), ConfigError);
  CHECK_THROWS_AS(check(TrainingConfig{.batch_size = 0}), ConfigError);
  CHECK_NOTHROW(check(TrainingConfig{}));
  CHECK(image_range("rescale")->low == -1);
  CHECK_FALSE(image_range("logit"));
}
