// The ways of sampling as a user runs them: flows, starts, presets, inpainting, interpolation.
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "engine/io/png.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tools/configs.hpp"
#include "tools/presets.hpp"
#include "tools/sampling_options.hpp"

#include <cmath>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;

/// Digits, just enough trained for the network to say something.
const Words kDigits{"digits",
                    "--set",
                    "critic=false",
                    "--set",
                    "score.width=4",
                    "--set",
                    "noise.levels=8",
                    "--set",
                    "training.batch_size=16",
                    "--set",
                    "training.steps=60",
                    "--set",
                    "training.preview_every=0",
                    "--set",
                    "training.held_out_every=0",
                    "--threads",
                    "1",
                    "--quiet"};

void succeed(const Words& words) {
  const Finished done = test::ascore(words);
  INFO(done.err);
  REQUIRE(done.code == 0);
}

void train(const std::string& out) {
  Words words{"train"};
  words.insert(words.end(), kDigits.begin(), kDigits.end());
  words.insert(words.end(), {"--out", out});
  succeed(words);
}

/// Draws by a command from `run` into `out` and returns the samples.
HostTensor draw(const Folder& folder, const std::string& out, const Words& more,
                const std::string& command = "sample") {
  Words words{command, folder / "run", "--out", folder / out, "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  succeed(words);
  return read_npz(folder.path(out + "/samples.npz")).at("arr_0");
}

std::vector<std::byte> row(const HostTensor& samples, int64_t i) {
  const size_t size = samples.bytes.size() / static_cast<size_t>(samples.shape[0]);
  const auto begin = samples.bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i) * size);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

tools::Recipe recipe_of(const std::string& text) {
  return tools::parse_recipe(text, "test.toml");
}

}  // namespace

TEST_CASE("flows and starts from data are drawn as any other sample, whatever the batch and the threads", "[program]") {
  const Folder folder;
  train(folder / "run");
  const Words which = GENERATE(Words{"--sampler", "flow_heun"}, Words{"--sampler", "flow_euler", "--flow-steps", "5"},
                               Words{"--init", "data"}, Words{"--preset", "als_n5"});
  CAPTURE(which);
  const auto with = [&](const std::string& out, Words more) {
    more.insert(more.end(), which.begin(), which.end());
    return draw(folder, out, more);
  };
  const HostTensor seven = with("a", {"--count", "7", "--batch", "7", "--threads", "1"});
  CHECK(seven.shape == Shape{7, 8, 8, 1});
  CHECK(with("b", {"--count", "7", "--batch", "2", "--threads", "2"}) == seven);
  CHECK(row(with("c", {"--count", "3"}), 2) == row(seven, 2));
  CHECK(with("d", {"--count", "7", "--seed", "8"}) != seven);
}

TEST_CASE("inpainting keeps what is known within the last level's noise, and tells samples apart elsewhere",
          "[program]") {
  const Folder folder;
  train(folder / "run");
  const double last_level = 0.03;
  // Two references; the left half is known. A grey picture and a mask of its size, or arrays.
  const HostTensor digits = draw(folder, "digits", {"--count", "2", "--seed", "3"});
  HostTensor one({8, 8, 1}, DType::u8), mask({8, 8}, DType::u8), white({8, 8, 1}, DType::u8);
  std::copy_n(digits.bytes.begin(), 64, one.bytes.begin());
  for (size_t i = 0; i < 64; ++i) {
    mask.bytes[i] = static_cast<std::byte>(i % 8 < 4);
    white.bytes[i] = static_cast<std::byte>(i % 8 < 4 ? 255 : 0);
  }
  write_png(folder.path("one.png"), one);
  write_png(folder.path("mask.png"), white);
  write_npy(folder.path("mask.npy"), mask);
  for (const std::string sampler : {"cas", "als"}) {
    CAPTURE(sampler);
    const Words with{"--sampler", sampler, "--count", "6"};
    const auto inpaint = [&](const std::string& out, const std::string& reference, const std::string& known) {
      Words words = with;
      words.insert(words.end(), {"--reference", folder / reference, "--mask", folder / known});
      return draw(folder, sampler + out, words, "inpaint");
    };
    const HostTensor filled = inpaint("-two", "digits/samples.npz", "mask.npy");
    const std::span<const uint8_t> values = filled.as<uint8_t>(), wanted = digits.as<uint8_t>();
    double squares = 0, elsewhere = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double difference = (values[i] - wanted[i % wanted.size()]) / 255.0;
      (i % 8 < 4 ? squares : elsewhere) += difference * difference;
    }
    const double half = static_cast<double>(values.size()) / 2;
    INFO(std::sqrt(squares / half) << " where known, " << std::sqrt(elsewhere / half) << " elsewhere");
    CHECK(std::sqrt(squares / half) <= last_level);
    CHECK(std::sqrt(elsewhere / half) > 0.1);
    CHECK(row(filled, 0) != row(filled, 2));  // one reference, two completions
    const HostTensor of_one = inpaint("-one", "one.png", "mask.png");
    CHECK(row(of_one, 0) == row(filled, 0));
    CHECK(row(of_one, 1) != row(filled, 1));
    CHECK(std::filesystem::exists(folder / (sampler + "-one/images/00005.png")));
  }
}

TEST_CASE("an interpolation ends in the two seeds' own samples, byte for byte", "[program]") {
  const Folder folder;
  train(folder / "run");
  const Words how = GENERATE(Words{"--sampler", "cas"}, Words{"--sampler", "als", "--init", "prior"},
                             Words{"--sampler", "flow_heun", "--flow-steps", "4"}, Words{"--init", "data"});
  CAPTURE(how);
  const auto with = [&](Words words) {
    words.insert(words.end(), how.begin(), how.end());
    return words;
  };
  const HostTensor way = draw(folder, "way", with({"--seeds", "7,8", "--frames", "5", "--count", "3"}), "interpolate");
  REQUIRE(way.shape == Shape{15, 8, 8, 1});
  const HostTensor from = draw(folder, "from", with({"--seed", "7", "--count", "3"}));
  const HostTensor to = draw(folder, "to", with({"--seed", "8", "--count", "3"}));
  const auto distance = [](const std::vector<std::byte>& a, const std::vector<std::byte>& b) {
    double squares = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double difference = std::to_integer<int>(a[i]) - std::to_integer<int>(b[i]);
      squares += difference * difference;
    }
    return std::sqrt(squares);
  };
  for (int64_t i = 0; i < 3; ++i) {
    CHECK(row(way, 5 * i) == row(from, i));
    CHECK(row(way, 5 * i + 4) == row(to, i));
    CHECK(distance(row(way, 5 * i + 2), row(from, i)) > 0);
    CHECK(distance(row(way, 5 * i + 2), row(to, i)) > 0);
  }
  const HostTensor strip = read_png(folder.path("way/images/00002.png"));
  CHECK(strip.shape[1] > 4 * strip.shape[0]);
  CHECK_FALSE(std::filesystem::exists(folder / "way/images/00003.png"));
}

TEST_CASE("a preset sets sampler, steps and the published step size; explicit options come after it", "[program]") {
  const tools::Recipe cifar = recipe_of("[data]\nname='cifar10'\npath='x'\n[noise]\n[score]\n[training]\n");
  const auto with = [](const tools::Recipe& recipe, const tools::SamplingOptions& options) {
    return tools::wanted_sampling(recipe, options);
  };
  tools::SamplingOptions options;
  const std::vector<std::pair<std::string, double>> published{
      {"cas_n1", 5.6e-6}, {"cas_n5", 1.1e-6}, {"als_n1", 1.8e-5}, {"als_n5", 3.6e-6}};
  for (const auto& [preset, step] : published) {
    CAPTURE(preset);
    options.preset = preset;
    const SamplingConfig sampling = with(cifar, options);
    CHECK(sampling.step_size == step);
    CHECK(name(sampling.sampler) == preset.substr(0, 3));
    CHECK(sampling.n_sigma == preset[5] - '0');
    CHECK_NOTHROW(make_plan(sampling, tools::noise_config(cifar)));
  }
  // Other levels, other data: nothing was published, and the rule decides.
  tools::Recipe other = cifar;
  other.noise.levels = 500;
  CHECK_FALSE(with(other, options).step_size.has_value());
  options.preset = "cas_n5";
  const tools::Recipe digits = recipe_of("[data]\n[noise]\n[score]\n[training]\n[sampling]\nstep_size=1e-5\n");
  CHECK_FALSE(with(digits, options).step_size.has_value());
  CHECK(with(digits, options).n_sigma == 5);

  options.step_size = 2e-6;
  CHECK(with(cifar, options).step_size == 2e-6);
  options.step_size.reset();
  options.n_sigma = 3;  // the step size was tuned to 5 steps per level
  CHECK(with(cifar, options).n_sigma == 3);
  CHECK_FALSE(with(cifar, options).step_size.has_value());
  options.n_sigma.reset();
  options.sampler = "flow_heun";
  CHECK(with(cifar, options).init == Start::prior);
  CHECK_NOTHROW(make_plan(with(cifar, options), tools::noise_config(cifar)));
}

TEST_CASE("a recipe whose sampler is a flow starts from prior unless it says otherwise", "[program]") {
  const std::string text = "[data]\n[noise]\n[score]\n[training]\n[sampling]\nsampler='flow_euler'\n";
  const tools::Recipe recipe = recipe_of(text + "flow_steps=7\n");
  CHECK(recipe.sampling.init == "prior");
  CHECK(make_plan(tools::sampling_config(recipe), tools::noise_config(recipe)).evaluations() == 7);
  const tools::Recipe wrong = recipe_of(text + "init='uniform'\n");
  CHECK_THROWS_WITH(make_plan(tools::sampling_config(wrong), tools::noise_config(wrong)), Catch::Contains("prior"));
}
