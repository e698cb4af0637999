// The page of a run, and what is measured of networks level by level: against what was trained, known scores and sums
// worked out here.
#include "engine/data/dataset.hpp"
#include "engine/io/json_lines.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/markup.hpp"
#include "tools/analysis/level_errors.hpp"
#include "tools/analysis/residual_noise.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ascore;
using namespace ascore::tools;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;

/// Trains small networks on points.
Finished train(const std::string& out, const Words& more = {}, const char* recipe = "gaussians25") {
  Words words{"train", recipe, "--out", out, "--quiet", "--threads", "1"};
  for (const char* setting : {"score.width=16", "noise.levels=10", "training.batch_size=16", "training.steps=6",
                              "training.checkpoint_every=2", "training.preview_every=3", "training.log_every=1",
                              "training.held_out_every=2", "training.held_out_samples=16", "sampling.step_size=0"}) {
    words.insert(words.end(), {"--set", setting});
  }
  words.insert(words.end(), more.begin(), more.end());
  return test::ascore(words);
}

/// A page that stands by itself, read strictly.
test::Markup page(const std::filesystem::path& file) {
  const std::string text = test::contents(file);
  test::Markup markup = test::read_markup(text);
  for (const std::string& address : markup.addresses) CHECK(address.starts_with("data:image/png;base64,"));
  for (const char* outside : {"http", "@import", "url("}) CHECK(markup.style.find(outside) == std::string::npos);
  CHECK(markup.elements.count("script") + markup.elements.count("link") == 0);
  CHECK(markup.style.find("prefers-color-scheme: dark") != std::string::npos);
  return markup;
}

bool says(const test::Markup& markup, const std::string& words) {
  return markup.text.find(words) != std::string::npos;
}

/// A CSV file as one map per row; every field is a number but for those of column "sampler".
using Row = std::map<std::string, double>;
std::vector<Row> numbers(const std::string& csv, const std::string& sampler = "", int n_sigma = 0) {
  std::istringstream lines(csv);
  std::string line, field;
  std::getline(lines, line);
  std::vector<std::string> names;
  for (std::istringstream header(line); std::getline(header, field, ',');) names.push_back(field);
  std::vector<Row> rows;
  while (std::getline(lines, line)) {
    Row row;
    size_t column = 0;
    bool wanted = true;
    for (std::istringstream fields(line); std::getline(fields, field, ','); ++column) {
      REQUIRE(column < names.size());
      if (names[column] == "sampler")
        wanted = sampler.empty() || field == sampler;
      else
        row[names[column]] = std::stod(field);
    }
    REQUIRE(column == names.size());
    if (wanted && (n_sigma == 0 || row["n_sigma"] == n_sigma)) rows.push_back(row);
  }
  return rows;
}

/// The exact score of points of equal weight blurred by noise sigma.
ScoreFn exact_score(const std::vector<std::array<double, 2>>& centres) {
  return [centres](Ctx& ctx, const Tensor& x, const NoiseLevel& level) {
    const double w = static_cast<double>(level) * level;
    const std::vector<double> at = ctx.to_host(x);
    std::vector<double> score(at.size());
    for (size_t i = 0; i < at.size(); i += 2) {
      double total = 0, toward[2] = {0, 0}, nearest = INFINITY;
      const auto square = [&](const auto& c) { return std::pow(c[0] - at[i], 2) + std::pow(c[1] - at[i + 1], 2); };
      for (const auto& c : centres) nearest = std::min(nearest, square(c));
      for (const auto& c : centres) {
        const double weight = std::exp((nearest - square(c)) / (2 * w));
        total += weight;
        for (size_t k = 0; k < 2; ++k) toward[k] += weight * (c[k] - at[i + k]);
      }
      for (size_t k = 0; k < 2; ++k) score[i + k] = toward[k] / total / w;
    }
    return ctx.from_host(score, x.shape(), x.dtype());
  };
}

/// s = -x / sigma: takes all data for noise about 0, so that it denoises everything to 0.
class AllIsNoise final : public ScoreNetwork {
 public:
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const override {
    return scale(ctx, x, -1 / ctx.to_host(sigma).front());
  }
};

}  // namespace

TEST_CASE("training writes a page that stands by itself: curves, pictures, settings, how it ended", "[program]") {
  const Folder folder;
  const std::string name = "a <run> & more";
  REQUIRE(train(folder / name).code == 0);
  const std::filesystem::path run = folder.path(name);
  const test::Markup found = page(run / "report.html");
  for (const char* words : {"a <run> & more", "finished, step 6 of 6", "total", "score matching", "held out", "critic",
                            "score network", "Throughput", "sigma 4", "sigma 0.01", "step 3", "gaussians25",
                            "lambda_generator", "samples per second", "cpu in f32, 1 thread", "96, in batches of 16"}) {
    INFO(words);
    CHECK(says(found, words));
  }
  CHECK(found.elements.at("svg") == 4);
  CHECK(found.elements.at("img") == 2);
  const auto end = nlohmann::json::parse(test::contents(run / "end.json"));
  CHECK(end["state"] == "finished");
  CHECK(end["step"] == 6);
  CHECK(end["peak_bytes"].get<int64_t>() > 1000);
  // the last losses as metrics.jsonl has them
  const auto lines = read_json_lines(run / "metrics.jsonl");
  for (const char* key : {"loss", "dsm", "generator", "critic", "held_out"}) {
    INFO(key);
    CHECK(says(found, fmt::format("{:.4g}", lines.back().at(key))));
  }

  SECTION("of files alone it becomes the same again, and other pictures come into it on demand") {
    const std::string before = test::contents(run / "report.html");
    std::filesystem::remove(run / "report.html");
    const Finished done = test::ascore({"report", run.string()});
    CHECK(done.code == 0);
    CHECK(done.out == (run / "report.html").string() + "\n");
    CHECK(test::contents(run / "report.html") == before);
    REQUIRE(test::ascore({"report", run.string(), "--draw", "20", "--threads", "1", "--quiet"}).code == 0);
    const test::Markup more = page(run / "report.html");
    CHECK(more.elements.at("img") == 6);
    CHECK(says(more, "annealed Langevin, denoised"));
    CHECK(read_png(run / "samples/step-000006-cas-plain.png").shape == Shape{512, 512, 3});
    CHECK(test::contents(run / "samples/step-000006-als-plain.png") !=
          test::contents(run / "samples/step-000006-als-denoised.png"));
  }
  SECTION("a run that goes on after its end was told, and was killed, says so") {
    std::ofstream(run / "metrics.jsonl", std::ios::app) << "{\"step\":7,\"loss\":1}\n";
    REQUIRE(test::ascore({"report", run.string()}).code == 0);
    CHECK(says(page(run / "report.html"), "killed after step 7"));
  }
  SECTION("resumed with nothing left to do, the end stands; begun anew, it goes") {
    const std::string told = test::contents(run / "end.json");
    REQUIRE(train(run.string(), {"--resume"}).code == 0);
    CHECK(test::contents(run / "end.json") == told);
    REQUIRE(train(run.string(), {"--overwrite", "--max-steps", "0"}).code == 0);
    CHECK(says(page(run / "report.html"), "No step has been logged yet"));
  }
}

TEST_CASE("a run that diverges says so on its page", "[program]") {
  const Folder folder;
  const Finished done = train(folder / "run", {"--set", "score.optimizer.lr=1e30"}, "gaussians25_plain");
  REQUIRE(done.code == 5);
  const test::Markup found = page(folder.path("run/report.html"));
  CHECK(says(found, "failed at step"));
  const auto end = nlohmann::json::parse(test::contents(folder.path("run/end.json")));
  CHECK(done.err == "ascore: " + end["message"].get<std::string>() + "\n");
  CHECK_FALSE(says(found, "Losses of the game"));
}

TEST_CASE("report, analyze residual and analyze levels refuse what they cannot read", "[program]") {
  const Folder folder;
  REQUIRE(train(folder / "run", {"--max-steps", "1"}).code == 0);
  std::filesystem::create_directories(folder.path("empty"));
  const std::string run = folder / "run", out = folder / "out";
  const auto refused = [](const Words& words, int code, const std::string& culprit) {
    INFO(fmt::format("{}", fmt::join(words, " ")));
    test::check_refused(test::ascore(words), code, culprit);
  };
  refused({"report", folder / "empty"}, 3, "is not a run");
  refused({"report", folder / "none"}, 3, "is not a run");
  refused({"report", run, "--threads", "2"}, 2, "--draw");
  refused({"analyze", "residual", folder / "empty", "--out", out}, 3, "empty");
  refused({"analyze", "levels", folder / "empty", "--out", out}, 3, "empty");
  refused({"analyze", "residual", run, "--out", out, "--sampler", "flow_heun"}, 2, "--sampler");
  refused({"analyze", "levels", run, "--out", out, "--count", "1000000"}, 2, "test samples");
  refused({"analyze", "levels", run, "--out", run}, 2, "run");
  CHECK_FALSE(std::filesystem::exists(out));
  std::ofstream(folder.path("run/samples/step-000001.png")) << "no picture";
  refused({"report", run}, 3, "step-000001.png: is no PNG picture");
  std::ofstream(folder.path("run/end.json")) << "{\"state\":";
  refused({"report", run}, 3, "end.json");
  std::ofstream(folder.path("run/metrics.jsonl")) << "no json\n";
  refused({"report", run}, 3, "metrics.jsonl:1");
  std::filesystem::remove(folder.path("run/metrics.jsonl"));
  refused({"report", run}, 3, "has no metrics.jsonl");
}

TEST_CASE("the noise measured along the way is the closed form's, where the score is exact and modes lie apart",
          "[analysis]") {
  const Mixture mixture{.centres = {{-20, -20}, {-20, 20}, {20, -20}, {20, 20}}, .spread = 0};
  const test::Bench bench(Device::cpu);
  Ctx ctx = bench.ctx;
  const SamplerKind sampler = GENERATE(SamplerKind::cas, SamplerKind::als);
  const int n_sigma = sampler == SamplerKind::cas ? 1 : GENERATE(1, 8);
  INFO(name(sampler) << " n " << n_sigma);
  const SamplingPlan plan =
      make_plan({.sampler = sampler, .n_sigma = n_sigma}, {.sigma_begin = 1, .sigma_end = 0.02, .levels = 40});
  ResidualProbe probe(plan, mixture);
  const ScoreFn exact = exact_score(mixture.centres);
  const ScoreFn score = [&](Ctx& c, const Tensor& x, const NoiseLevel& sigma) {
    const Tensor result = exact(c, x, sigma);
    probe.asked(c, x, sigma, result);
    return result;
  };
  constexpr int64_t kRows = 1000, kTiles = 2;
  for (int64_t tile = 0; tile < kTiles; ++tile) {
    std::vector<double> start = test::normals(2 * kRows, 11 + static_cast<uint64_t>(tile));
    for (size_t i = 0; i < start.size(); ++i) start[i] += mixture.centres[i / 2 % 4][i % 2];
    const NoiseKey key{.seed = 5, .first_sample = static_cast<uint64_t>(tile * kRows)};
    const Samples samples = run_sampler(ctx, plan, score, ctx.from_host(start, {kRows, 2}, DType::f64), key);
    probe.finished(ctx, samples, kRows);
  }
  const ResidualCurve curve = probe.curve();
  REQUIRE(curve.step.size() == (n_sigma == 8 ? 41 : 40));
  CHECK(curve.step.back() == plan.evaluations() - 1);
  for (size_t i = 0; i < curve.step.size(); ++i) {
    INFO("step " << curve.step[i]);
    // 4,000 draws of a normal variable: their root mean square is known to 1.1 %, here held to four times that
    CHECK(curve.own_estimate[i] == Approx(curve.closed_form[i]).epsilon(0.045));
    CHECK(curve.to_end[i] == Approx(curve.own_estimate[i]).epsilon(1e-6));  // the way ends in the mode itself
    CHECK(curve.likeliest[i] == Approx(curve.own_estimate[i]).epsilon(1e-3));
  }
  // the schedule is told as it is: Langevin sampling is above its levels, consistent sampling on them
  const double above = curve.closed_form.back() / curve.level.back();
  CHECK((sampler == SamplerKind::cas ? std::abs(above - 1) < 1e-9 : above > 1.02));
}

TEST_CASE("analyze residual writes every sampler's way by the same draws", "[program]") {
  const Folder folder;
  REQUIRE(train(folder / "run").code == 0);
  const auto residual = [&](const std::string& out, const Words& more) {
    Words words{"analyze", "residual", folder / "run", "--out", folder / out,
                "--count", "50",       "--threads",    "1",     "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished done = test::ascore(words);
    INFO(done.err);
    REQUIRE(done.code == 0);
    CHECK(done.out == folder / out + "/residual.csv\n");
    for (const char* picture : {"residual.png", "ratio.png"}) {
      CHECK(read_png(folder.path(out) / picture).shape == Shape{780, 1200, 3});
    }
    return test::contents(folder.path(out + "/residual.csv"));
  };
  const std::string all = residual("all", {});
  CHECK(all.starts_with("sampler,n_sigma,step,position,level,closed_form,own_estimate,to_end,likeliest\n"));
  CHECK(numbers(all).size() == 10 + 50 + 10);
  const std::vector<Row> cas = numbers(all, "cas", 1), als = numbers(all, "als", 1);
  REQUIRE(cas.size() == 10);
  for (size_t i = 0; i < 10; ++i) {
    CHECK(cas[i].at("level") == Approx(4 * std::pow(0.01 / 4, double(i) / 9)));
    CHECK(cas[i].at("closed_form") == Approx(cas[i].at("level")));
    CHECK(als[i].at("own_estimate") > 0);
  }
  // one seed, one start; then ways part
  for (const char* column : {"own_estimate", "likeliest"}) CHECK(cas[0].at(column) == als[0].at(column));
  CHECK(cas[5].at("own_estimate") != als[5].at("own_estimate"));
  const std::string some = residual("some", {"--sampler", "als", "--n-sigma", "1"});
  CHECK(some.substr(some.find('\n')) == all.substr(all.find('\n'), some.size() - some.find('\n')));
  test::check_refused(test::ascore({"analyze", "residual", folder / "run", "--out", folder / "all"}), 2, "--overwrite");
}

TEST_CASE("errors by level are those worked out by hand for a network that takes everything for noise", "[analysis]") {
  const auto data = open_dataset({.name = "gaussians8"}, 3);
  constexpr int64_t kCount = 300;
  double squares = 0;
  for (int64_t i = 0; i < kCount; ++i) {
    float point[2];
    data->read(Split::test, i, point);
    squares += double(point[0]) * point[0] + double(point[1]) * point[1];
  }
  const test::Bench bench(Device::cpu);
  Ctx ctx = bench.ctx;
  const AllIsNoise network;
  LevelStudy study{
      .noise = {.sigma_begin = 100, .sigma_end = 0.5, .levels = 7}, .seed = 3, .count = kCount, .batch = 128};
  int64_t heard = 0;
  const auto levels = level_errors(ctx, network, *data, study, [&](int64_t done) { heard = done; });
  CHECK(heard == 7);
  REQUIRE(levels.size() == 7);
  const double rms = std::sqrt(squares / (2 * kCount));
  for (const LevelError& level : levels) {
    INFO("sigma " << level.sigma);
    CHECK(level.denoised_rmse == Approx(rms).epsilon(1e-4));  // it denoises to 0: what is missing is the sample
    // 0.5 |s + z|^2 = 0.5 |x|^2 / sigma^2, of two dimensions rms^2 / sigma^2
    CHECK(level.loss == Approx(rms * rms / (level.sigma * level.sigma)).epsilon(1e-3));
    // (x + sigma z) / sigma; of 600 normal draws the variance is known to 6 %
    CHECK(level.output_variance == Approx(1 + rms * rms / (level.sigma * level.sigma)).epsilon(0.25));
  }
  CHECK(levels.front().sigma == 100);
  CHECK(levels.back().sigma == 0.5);

  study.batch = 300;
  CHECK(level_errors(ctx, network, *data, study)[3].loss == Approx(levels[3].loss).epsilon(1e-9));
  study.count = data->size(Split::test) + 1;
  CHECK_THROWS_AS(level_errors(ctx, network, *data, study), ConfigError);
}

TEST_CASE("analyze levels tells loss and error of a trained network, which hang together", "[program]") {
  const Folder folder;
  REQUIRE(train(folder / "run").code == 0);
  const Finished done = test::ascore(
      {"analyze", "levels", folder / "run", "--out", folder / "levels", "--threads", "1", "--count", "40", "--quiet"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  const std::vector<Row> rows = numbers(test::contents(folder.path("levels/levels.csv")));
  REQUIRE(rows.size() == 10);
  for (size_t i = 0; i < 10; ++i) {
    const double sigma = rows[i].at("sigma");
    CHECK(rows[i].at("level") == double(i + 1));
    CHECK(sigma == Approx(4 * std::pow(0.01 / 4, double(i) / 9)));
    // denoised - clean = sigma (s + z), and the loss is half of |s + z|^2 over both dimensions
    CHECK(rows[i].at("denoised_rmse") == Approx(sigma * std::sqrt(rows[i].at("loss"))).epsilon(2e-3));
    CHECK(rows[i].at("output_variance") > 0);
  }
  for (const char* picture : {"loss.png", "variance.png", "error.png"}) {
    CHECK(read_png(folder.path("levels") / picture).shape == Shape{780, 1200, 3});
  }
}
