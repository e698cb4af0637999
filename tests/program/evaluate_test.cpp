// evaluate, stats and analyze as a user calls them, against numbers that are known otherwise.
#include "engine/io/npz.hpp"
#include "engine/io/png.hpp"
#include "engine/metrics/frechet.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/golden.hpp"

#include <cmath>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

/// The JSON line of a command that has to succeed.
nlohmann::json measured(const std::vector<std::string>& arguments) {
  const Finished done = test::ascore(arguments);
  INFO(done.err);
  REQUIRE(done.code == 0);
  return nlohmann::json::parse(done.out);
}

/// Random pictures u8 [count,4,5,1], darker to the left by `slope`.
HostTensor random_pictures(int64_t count, uint64_t seed, double slope) {
  HostTensor images({count, 4, 5, 1}, DType::u8);
  const std::vector<double> draws = test::normals(static_cast<size_t>(images.count()), seed);
  for (size_t i = 0; i < draws.size(); ++i) {
    images.as<uint8_t>()[i] = static_cast<uint8_t>(std::clamp(128 + 20 * draws[i] + slope * double(i % 5), 0.0, 255.0));
  }
  return images;
}

std::vector<double> in_unit_range(const HostTensor& images) {
  std::vector<double> values = images.to_doubles();
  for (double& value : values) value /= 255;
  return values;
}

/// schedule.csv by sampler and number of steps per level: the standard deviations.
std::map<std::string, std::vector<double>> deviations(const std::string& csv) {
  std::map<std::string, std::vector<double>> curves;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  REQUIRE(line == "sampler,n_sigma,step,position,deviation,difference");
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::vector<std::string> parts;
    for (std::string part; std::getline(fields, part, ',');) parts.push_back(part);
    REQUIRE(parts.size() == 6);
    curves[parts[0] + parts[1]].push_back(std::stod(parts[4]));
  }
  return curves;
}

}  // namespace

TEST_CASE("analyze schedule writes figure 1 as the original implementation computes it", "[program]") {
  Folder folder;
  const Finished done = test::ascore({"analyze", "schedule", "--out", folder / "figure"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out == folder / "figure" + "/schedule.csv\n");
  auto curves = deviations(test::contents(folder.path("figure/schedule.csv")));
  CHECK(curves.size() == 5);
  test::GoldenFile golden("closed_forms");
  for (const auto& [curve, tensor] : std::map<std::string, std::string>{{"als1", "als.n1"},
                                                                        {"als2", "als.n2"},
                                                                        {"als5", "als.n5"},
                                                                        {"als20", "als.n20"},
                                                                        {"cas1", "cas.232_eps0.2"}}) {
    CAPTURE(curve);
    const std::vector<double> expected = golden.values(tensor), &got = curves[curve];
    REQUIRE(got.size() == expected.size());
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] / expected[i] - 1));
    CHECK(worst < 1e-12);
  }
  for (const char* picture : {"schedule.png", "difference.png"}) {
    CHECK(read_png(folder.path("figure") / picture).shape == Shape{780, 1200, 3});
  }
  test::check_refused(test::ascore({"analyze", "schedule", "--out", folder / "figure"}), 2, "--overwrite");
  CHECK(test::ascore({"analyze", "schedule", "--out", folder / "figure", "--overwrite"}).code == 0);
}

TEST_CASE("evaluate measures pictures against a set, and against its statistics alike", "[program]") {
  Folder folder;
  const HostTensor real = random_pictures(90, 1, 0), drawn = random_pictures(70, 2, 6);
  write_npz(folder.path("real.npz"), {{"images", real}});
  write_npz(folder.path("drawn.npz"), {{"arr_0", drawn}});
  const double expected =
      frechet_distance(feature_statistics(in_unit_range(drawn), 20), feature_statistics(in_unit_range(real), 20));

  const auto against_set = measured({"evaluate", folder / "drawn.npz", "--reference", folder / "real.npz"});
  CHECK(against_set["samples"] == 70);
  CHECK(against_set["reference_count"] == 90);
  CHECK(against_set["features"] == "pixels [4,5,1]");
  CHECK(against_set["frechet"].get<double>() == Approx(expected).epsilon(1e-9));
  CHECK(against_set["halves_frechet"].get<double>() < expected);
  CHECK(against_set["precision"].get<double>() < 0.9);

  REQUIRE(test::ascore({"stats", folder / "real.npz", "--out", folder / "stats.npz"}).code == 0);
  const auto arrays = read_npz(folder.path("stats.npz"));  // the names and types that pytorch-fid reads
  CHECK(arrays.at("mu").shape == Shape{20});
  CHECK(arrays.at("sigma").dtype == DType::f64);
  const auto against_statistics = measured({"evaluate", folder / "drawn.npz", "--reference", folder / "stats.npz"});
  CHECK(against_statistics["frechet"].get<double>() == Approx(expected).epsilon(1e-9));

  const auto itself = measured({"evaluate", folder / "real.npz", "--reference", folder / "real.npz"});
  CHECK(std::abs(itself["frechet"].get<double>()) < 1e-9);
  CHECK(itself["coverage"] == 1);

  const auto fewer = measured({"evaluate", folder / "drawn.npz", "--reference", folder / "real.npz", "--count", "30"});
  CHECK(fewer["samples"] == 30);
  const Finished few =
      test::ascore({"evaluate", folder / "drawn.npz", "--reference", folder / "real.npz", "--count", "5"});
  CHECK(few.code == 0);
  CHECK(few.err.find("5 samples are too few for precision and recall by 5 neighbours: left out") != std::string::npos);
  CHECK(few.out.find("precision") == std::string::npos);
}

TEST_CASE("evaluate and stats read folders of pictures, of one size", "[program]") {
  Folder folder;
  const HostTensor drawn = random_pictures(12, 3, 0);
  std::filesystem::create_directories(folder.path("pictures"));
  for (int64_t i = 0; i < 12; ++i) {
    HostTensor colours({4, 5, 3}, DType::u8);
    for (size_t j = 0; j < 60; ++j) colours.as<uint8_t>()[j] = drawn.as<uint8_t>()[static_cast<size_t>(i) * 20 + j / 3];
    write_png(folder.path(fmt::format("pictures/{:02}.png", i)), colours);
  }
  const auto found = measured({"evaluate", folder / "pictures", "--reference", folder / "pictures"});
  CHECK(found["samples"] == 12);
  CHECK(found["features"] == "pixels [4,5,3]");

  write_png(folder.path("pictures/99.png"), HostTensor({5, 5, 3}, DType::u8));
  test::check_refused(test::ascore({"evaluate", folder / "pictures", "--reference", folder / "pictures", "--quiet"}), 3,
                      "99.png: is [5,5,3]");
  std::filesystem::create_directories(folder.path("empty"));
  test::check_refused(test::ascore({"stats", folder / "empty", "--out", folder / "s.npz"}), 3, "holds no images");
}

TEST_CASE("evaluate refuses what cannot be compared", "[program]") {
  Folder folder;
  write_npz(folder.path("drawn.npz"), {{"arr_0", random_pictures(20, 4, 0)}});
  write_npz(folder.path("wide.npz"), {{"arr_0", HostTensor({20, 4, 6, 1}, DType::u8)}});
  const auto refused = [&](const std::string& reference, const std::string& part) {
    test::check_refused(test::ascore({"evaluate", folder / "drawn.npz", "--reference", folder / reference, "--quiet"}),
                        3, part);
  };
  refused("wide.npz", "samples are [4,5,1]");
  REQUIRE(test::ascore({"stats", folder / "wide.npz", "--out", folder / "wide_stats.npz"}).code == 0);
  refused("wide_stats.npz", "statistics of pixels [4,6,1]");
  write_npz(folder.path("foreign.npz"),
            {{"mu", HostTensor({7}, DType::f64)}, {"sigma", HostTensor({7, 7}, DType::f64)}});
  refused("foreign.npz", "statistics of 7 features, but the samples have 20");
}

TEST_CASE("sweep measures every setting by the same draws, and names the best", "[program]") {
  Folder folder;
  const Finished trained =
      test::ascore({"train", "gaussians25", "--out", folder / "run", "--quiet", "--threads", "1", "--max-steps", "4",
                    "--set", "training.checkpoint_every=2", "--set", "training.preview_every=0", "--set",
                    "noise.levels=20", "--set", "score.width=16"});
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const auto sweep = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.begin(),
                {"sweep", folder / "run", "--out", folder / out, "--count", "40", "--quiet", "--threads", "1"});
    return test::ascore(more);
  };
  const Finished done = sweep("a", {"--step-size", "8e-5:1e-4:2", "--n-sigma", "1,2"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  const std::string csv = test::contents(folder.path("a/sweep.csv"));
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  CHECK(line == "checkpoint,sampler,n_sigma,step_size,eta,sample,sliced_wasserstein");
  int rows = 0;
  double least = INFINITY;
  for (; std::getline(lines, line); ++rows) least = std::min(least, std::stod(line.substr(line.rfind(',') + 1)));
  CHECK(rows == 2 * 2 * 2 * 2);  // samplers, steps per level, step sizes, plain and denoised
  CHECK(done.out.find(fmt::format("{}", least)) != std::string::npos);
  CHECK(read_png(folder.path("a/sweep.png")).shape == Shape{780, 1200, 3});

  REQUIRE(sweep("b", {"--step-size", "8e-5:1e-4:2", "--n-sigma", "1,2"}).code == 0);
  CHECK(test::contents(folder.path("b/sweep.csv")) == csv);

  REQUIRE(sweep("c", {"--step-size", "8e-5:8e-5:1", "--sampler", "cas", "--checkpoints", "all"}).code == 0);
  const std::string over_training = test::contents(folder.path("c/sweep.csv"));
  for (const char* step : {"\n0,cas", "\n2,cas", "\n4,cas"}) CHECK(over_training.find(step) != std::string::npos);

  test::check_refused(sweep("d", {"--step-size", "1:0.5:3"}), 2, "--step-size 1:0.5:3");
  test::check_refused(sweep("d", {"--step-size", "1e-9:2e-9:2", "--sampler", "cas"}), 2, "nothing inside");
  test::check_refused(sweep("d", {"--checkpoints", "some"}), 2, "--checkpoints some");
  test::check_refused(sweep("a", {}), 2, "--overwrite");
  CHECK_FALSE(std::filesystem::exists(folder.path("d")));
}
