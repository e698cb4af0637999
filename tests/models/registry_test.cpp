#include "models/registry.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace ascore;

namespace {
int64_t trainable_values(Module& module) {
  int64_t total = 0;
  for (const Parameter* p : module.parameters()) total += p->trainable ? p->shape.count() : 0;
  return total;
}
bool has(Module& module, const std::string& name) {
  const auto all = module.parameters();
  return std::ranges::find(all, name, &Parameter::name) != all.end();
}
}  // namespace

TEST_CASE("NCSNv2 has the original's number of parameters", "[models]") {
  ScoreNetworkConfig config{.name = "ncsnv2", .sample_shape = {32, 32, 3}};
  CHECK(trainable_values(*make_score_network(config)) == 29'694'083);
  config.dilation = false;
  CHECK(trainable_values(*make_score_network(config)) == 28'645'507);
}

TEST_CASE("NCSNv2's deeper variants have the original's parameters", "[models]") {
  const auto deeper = make_score_network({.name = "ncsnv2_deeper", .sample_shape = {64, 64, 3}});
  CHECK(trainable_values(*deeper) == 83'445'379);
  CHECK(has(*deeper, "res4.0.shortcut.weight"));
  CHECK(has(*deeper, "res3.0.shortcut.conv.weight"));
  CHECK(has(*deeper, "refine5.output_convs.3_2_conv.weight"));
  const auto deepest = make_score_network({.name = "ncsnv2_deepest", .sample_shape = {256, 256, 3}});
  CHECK(trainable_values(*deepest) == 94'132'611);
  CHECK(has(*deepest, "res31.0.conv2.conv.weight"));
  CHECK(has(*deepest, "refine31.msf.convs.1.weight"));
  CHECK_FALSE(has(*deepest, "refine1.msf.convs.0.weight"));
}

TEST_CASE("NCSNv2 without dilation pools in its last two stages", "[models]") {
  ScoreNetworkConfig config{.name = "ncsnv2", .sample_shape = {32, 32, 3}, .width = 4};
  const auto dilated = make_score_network(config);
  config.dilation = false;
  const auto pooled = make_score_network(config);
  CHECK(has(*dilated, "res4.0.conv2.weight"));
  CHECK(has(*pooled, "res4.0.conv2.conv.weight"));
  CHECK(has(*pooled, "res3.0.shortcut.conv.bias"));
}

TEST_CASE("NCSNv2 without dilation makes the odd sides of 28x28 even before its last pooling", "[models]") {
  ScoreNetworkConfig config{.name = "ncsnv2", .sample_shape = {28, 28, 1}, .width = 4, .dilation = false};
  const auto padded = make_score_network(config);
  CHECK(has(*padded, "res4.0.conv2.conv.1.weight"));
  CHECK(has(*padded, "res4.0.shortcut.conv.1.bias"));
  CHECK(has(*padded, "res3.0.conv2.conv.weight"));
  config.sample_shape = {32, 32, 1};
  CHECK(trainable_values(*padded) == trainable_values(*make_score_network(config)));
  config.sample_shape = {28, 32, 1};
  CHECK_THROWS_AS(make_score_network(config), ConfigError);
}

TEST_CASE("NCSNv2's normalisations have the original's parameters", "[models]") {
  const auto leaves = [](const std::string& norm) {
    const auto net = make_score_network({.sample_shape = {8, 8, 1}, .width = 4, .norm = norm});
    std::vector<std::string> found;
    for (const Parameter* p : net->parameters()) {
      if (p->name.starts_with("res1.0.normalize1.")) found.push_back(p->leaf);
    }
    return found;
  };
  using Leaves = std::vector<std::string>;
  CHECK(leaves("instance_norm_plus") == Leaves{"alpha", "gamma", "beta"});
  CHECK(leaves("instance_norm") == Leaves{});
  CHECK(leaves("batch_norm") == Leaves{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  CHECK(leaves("variance_norm") == Leaves{"alpha"});
  CHECK(leaves("none") == Leaves{});
}

TEST_CASE("the MLPs have four layers, named as in a Sequential", "[models]") {
  ScoreNetworkConfig score{.name = "mlp", .sample_shape = {2}};
  CHECK(trainable_values(*make_score_network(score)) == 2 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 2 + 2);
  score.conditional = true;
  const auto conditional = make_score_network(score);
  CHECK(trainable_values(*conditional) == 3 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 2 + 2);
  CHECK(has(*conditional, "net.0.weight"));
  CHECK(has(*conditional, "net.6.bias"));
  const auto critic = make_critic({.name = "mlp", .sample_shape = {2}, .width = 8});
  CHECK(trainable_values(*critic) == 2 * 8 + 8 + 2 * (8 * 8 + 8) + 8 + 1);
}

TEST_CASE("the BigGAN critic's blocks follow its table", "[models]") {
  const auto widths = [](int64_t size) {
    const auto critic = make_critic({.name = "biggan", .sample_shape = {size, size, 3}, .width = 2});
    std::vector<int64_t> all;
    for (const Parameter* p : critic->parameters()) {
      if (p->name.ends_with("conv1.weight")) all.push_back(p->shape.dim(0) / 2);
    }
    return all;
  };
  for (const int64_t size : {8, 16, 28, 32}) CHECK(widths(size) == std::vector<int64_t>{4, 4, 4, 4});
  CHECK(widths(64) == std::vector<int64_t>{1, 2, 4, 8, 16});
  const auto critic = make_critic({.name = "biggan", .sample_shape = {64, 64, 3}, .width = 2});
  CHECK(has(*critic, "blocks.4.0.conv_sc.weight"));
  CHECK_FALSE(has(*make_critic({.name = "biggan", .sample_shape = {8, 8, 1}}), "blocks.2.0.conv_sc.weight"));
}

TEST_CASE("the BigGAN critic has the original's number of parameters, attention's included", "[models]") {
  const auto [height, width, count] = GENERATE(table<int64_t, int64_t, int64_t>(
      {{32, 32, 4'204'801}, {64, 64, 19'542'721}, {128, 128, 38'424'258}, {256, 256, 43'421'890}}));
  CAPTURE(height, width);
  const auto critic = make_critic({.name = "biggan", .sample_shape = {height, width, 3}});
  CHECK(trainable_values(*critic) == count);
  CHECK(has(*critic, "blocks.0.1.gamma") == (height == 128));
  CHECK(has(*critic, "blocks.1.1.theta.weight") == (height == 256));
  CHECK_FALSE(has(*critic, "blocks.1.1.theta.bias"));
  const auto without = make_critic({.name = "biggan", .sample_shape = {height, width, 3}, .attention = 0});
  CHECK_FALSE(has(*without, "blocks.0.1.gamma"));
}

TEST_CASE("the DCGAN critic has the original's parameters", "[models]") {
  const auto normed = make_critic({.name = "dcgan"});
  CHECK(trainable_values(*normed) == 2'937'665);
  for (const char* name :
       {"model.0.weight", "model.1.running_mean", "model.3.bias", "model.16.weight", "model.18.bias", "dense.weight"}) {
    CAPTURE(name);
    CHECK(has(*normed, name));
  }
  CHECK_FALSE(has(*normed, "model.19.weight"));
  const auto plain = make_critic({.name = "dcgan", .norm = "none"});
  CHECK(trainable_values(*plain) == 2'935'873);
  CHECK(has(*plain, "model.12.weight"));
  const auto spectral = make_critic({.name = "dcgan", .norm = "spectral_norm"});
  CHECK(trainable_values(*spectral) == 2'935'873);
  CHECK(has(*spectral, "model.12.weight_orig"));
  CHECK(has(*spectral, "model.0.weight_v"));
  CHECK(has(*spectral, "dense.weight"));
}

TEST_CASE("an unknown name is an error that lists the known ones", "[models]") {
  CHECK_THROWS_WITH(make_score_network({.name = "ncsn"}),
                    Catch::Contains("'ncsn'") && Catch::Contains("mlp, ncsnv2, ncsnv2_deeper"));
  CHECK_THROWS_WITH(make_critic({.name = "dcgam"}), Catch::Contains("mlp, biggan, dcgan"));
  CHECK(score_network_names() == std::vector<std::string>{"mlp", "ncsnv2", "ncsnv2_deeper", "ncsnv2_deepest", "unet"});
  CHECK(critic_names() == std::vector<std::string>{"mlp", "biggan", "dcgan"});
}

TEST_CASE("options that a network does not have are errors", "[models]") {
  using Config = ScoreNetworkConfig;
  CHECK_THROWS_AS(make_score_network(Config{.sample_shape = {2}}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.sample_shape = {31, 31, 3}}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.sample_shape = {30, 30, 3}, .dilation = false}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.name = "ncsnv2_deeper", .sample_shape = {62, 64, 3}}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.name = "ncsnv2_deepest", .sample_shape = {60, 64, 3}}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.norm = "group_norm"}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.name = "mlp", .sample_shape = {2}, .standardize = true}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.name = "mlp", .sample_shape = {2}, .spectral_norm = true}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.conditional = true}), ConfigError);
  CHECK_THROWS_AS(make_score_network(Config{.name = "mlp", .sample_shape = {2}, .dae = true}), ConfigError);
  CHECK_THROWS_AS(make_critic({.sample_shape = {20, 20, 3}}), ConfigError);
  CHECK_THROWS_AS(make_critic({.sample_shape = {32, 30, 3}}), ConfigError);
  CHECK_NOTHROW(make_critic({.sample_shape = {28, 32, 3}}));
  CHECK_THROWS_AS(make_critic({.sample_shape = {28, 28, 3}, .attention = 16}), ConfigError);
  CHECK_THROWS_AS(make_critic({.sample_shape = {32, 32, 3}, .width = 3, .attention = 16}), ConfigError);
  CHECK_THROWS_AS(make_critic({.name = "dcgan", .sample_shape = {32, 28, 3}}), ConfigError);
  CHECK_THROWS_AS(make_critic({.name = "dcgan", .norm = "instance_norm"}), ConfigError);
  CHECK_THROWS_AS(make_critic({.sample_shape = {2}}), ConfigError);
}
