// ascore profile, and what train says when memory runs out: predictions against the ledger, and the ledger against the
// process.
#include "kernels/core/error.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tools/open_data.hpp"
#include "tools/profile/byte_size.hpp"
#include "tools/profile/memory_profile.hpp"
#include "tools/profile/prediction.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ascore;
using namespace ascore::tools;
using test::Finished;
using test::Folder;
using Words = std::vector<std::string>;

namespace {

/// Small networks of every family, on data that the program makes itself.
Recipe small_recipe(const std::string& which) {
  const Words points = {"score.width=16", "critic.width=16", "noise.levels=5"};
  const Words images = {"score.width=8", "critic.width=4", "noise.levels=5"};
  if (which == "mlp") return load_recipe("gaussians25_plain", points);
  if (which == "mlp against a critic") return load_recipe("gaussians25", points);
  if (which == "ncsnv2") return load_recipe("digits_plain", images);
  if (which == "ncsnv2 against a critic") return load_recipe("digits", images);
  Words unet = images;
  for (const char* word : {"score.name=unet", "score.groups=4", "score.multipliers=[1,2]", "score.norm=group_norm",
                           "score.activation=silu", "score.conditional=true"}) {
    unet.emplace_back(word);
  }
  return load_recipe("digits_plain", unet);
}

void check_close(double predicted, double measured, double share) {
  INFO("predicted " << predicted << ", measured " << measured);
  CHECK(std::abs(predicted - measured) <= share * measured);
}

void check_prediction(const Recipe& recipe, const RunSettings& settings) {
  const auto data = open_data(recipe);
  RunSettings real = settings, dry = settings;
  real.data = data.get();
  const MemoryRun measured = run_steps(recipe, real), predicted = run_steps(recipe, dry);
  check_close(static_cast<double>(predicted.peak_bytes), static_cast<double>(measured.peak_bytes), 0.02);
  for (size_t kind = 0; kind < measured.by_kind.size(); ++kind) {
    INFO(name(static_cast<MemoryKind>(kind)));
    check_close(static_cast<double>(predicted.by_kind[kind]), static_cast<double>(measured.by_kind[kind]), 0.02);
  }
  CHECK(predicted.timeline.size() == measured.timeline.size());
  CHECK(predicted.parameters == measured.parameters);
  CHECK(measured.seconds_per_step > 0);
}

nlohmann::json json_of(const std::string& file) {
  return nlohmann::json::parse(test::contents(file));
}

}  // namespace

TEST_CASE("a dry run predicts what the ledger counts", "[profile]") {
  for (const char* which : {"mlp", "mlp against a critic", "ncsnv2", "ncsnv2 against a critic", "unet"}) {
    for (const DType precision : {DType::f32, DType::bf16}) {
      INFO(which << ", " << name(precision));
      check_prediction(small_recipe(which), {.precision = precision, .threads = 1, .batch = 6});
    }
  }
}

TEST_CASE("a dry run predicts captured steps of the emulated device too", "[profile]") {
  if (!kSimtBuilt) return;
  for (const char* which : {"mlp against a critic"}) {
    for (const char* graphs : {"true", "false"}) {
      Recipe recipe = small_recipe(which);
      recipe.training.cuda_graphs = std::string(graphs) == "true";
      INFO(which << ", cuda_graphs " << graphs);
      check_prediction(recipe, {.device = Device::simt, .batch = 3, .steps = 3});
    }
  }
}

TEST_CASE("a dry run needs neither data nor a GPU, and touches no memory", "[profile]") {
  const Recipe recipe = load_recipe("cifar10_ncsnv2_adversarial");
  const MemoryRun run = run_steps(recipe, {.device = Device::cuda, .precision = DType::bf16, .batch = 512});
  CHECK(run.peak_bytes > size_t{4} << 30);  // more than the test's machine may have
  CHECK(run.by_kind[static_cast<size_t>(MemoryKind::activations)] > run.peak_bytes / 2);
}

TEST_CASE("the largest batch fits, and the next one does not", "[profile]") {
  const Recipe recipe = small_recipe("ncsnv2");
  RunSettings settings{.threads = 1, .batch = 4};
  const size_t limit = *predicted_peak(recipe, settings) * 3;
  const int64_t largest = largest_batch(recipe, settings, limit);
  CHECK(largest > 4);
  settings.batch = largest;
  CHECK(*predicted_peak(recipe, settings) <= limit);
  settings.batch = largest + 1;
  CHECK(*predicted_peak(recipe, settings) > limit);
  CHECK(largest_batch(recipe, settings, 4096) == 0);
}

TEST_CASE("live bytes stay level over a thousand steps", "[profile]") {
  const Recipe recipe = small_recipe("mlp against a critic");
  const auto data = open_data(recipe);
  const RunSettings settings{.threads = 1, .batch = 4, .steps = 1000, .data = data.get()};
  const MemoryRun run = run_steps(recipe, settings);
  const size_t events = run.timeline.size();
  const auto most = [&](size_t begin, size_t end) {
    size_t bytes = 0;
    for (size_t i = begin; i < end; ++i) bytes = std::max(bytes, total(run.timeline[i]));
    return bytes;
  };
  CHECK(most(events / 100, events / 10) == most(events - events / 10, events));
}

TEST_CASE("sizes of memory are read with their units", "[profile]") {
  CHECK(parse_byte_size("--memory", "24GiB") == size_t{24} << 30);
  CHECK(parse_byte_size("--memory", "1.5 KiB") == 1536);
  CHECK(parse_byte_size("--memory", "8GB") == 8'000'000'000);
  CHECK(parse_byte_size("--memory", "4096") == 4096);
  for (const char* wrong : {"", "GiB", "-1GiB", "0", "2 gigs", "nan", "1e30GiB"}) {
    INFO(wrong);
    CHECK_THROWS_AS(parse_byte_size("--memory", wrong), ConfigError);
  }
  CHECK(shown_bytes(3.25 * (1 << 30)) == "3.25 GiB");
  CHECK(shown_bytes(512) == "512 B");
}

TEST_CASE("profile writes figures, page, picture and trace that can be read", "[program]") {
  const Folder folder;
  const Words words{"profile",   "digits",
                    "--batch",   "4",
                    "--threads", "1",
                    "--set",     "score.width=8",
                    "--set",     "critic.width=4",
                    "--memory",  "1GiB",
                    "--json",    folder / "m.json",
                    "--html",    folder / "m.html",
                    "--png",     folder / "m.png",
                    "--trace",   folder / "m.trace"};
  const Finished done = test::ascore(words);
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out.find("activations") != std::string::npos);
  const nlohmann::json json = json_of(folder / "m.json");
  size_t sum = 0;
  for (const auto& [category, bytes] : json["peak_bytes_by_category"].items()) sum += bytes.get<size_t>();
  CHECK(sum == json["peak_bytes"].get<size_t>());
  size_t modules = 0;
  for (const auto& module : json["peak_bytes_by_module"]) modules += module["bytes"].get<size_t>();
  CHECK(modules == json["peak_bytes"].get<size_t>());
  CHECK(json["bytes_per_image"].get<double>() > 1000);
  CHECK(json["parameters"].get<int64_t>() > 1000);
  CHECK(json["largest_batch"].get<int64_t>() > 4);
  CHECK(json["predicted"] == false);

  double last = -1;
  size_t operations = 0, counters = 0;
  const nlohmann::json trace = json_of(folder / "m.trace");
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] == "C") {
      CHECK(event["args"]["bytes"].get<size_t>() <= json["peak_bytes"].get<size_t>());
      ++counters;
      continue;
    }
    REQUIRE(event["ph"] == "X");
    REQUIRE(event["ts"].get<double>() >= last);
    REQUIRE(event["dur"].get<double>() >= 0);
    last = event["ts"].get<double>();
    ++operations;
  }
  CHECK(operations > 300);
  CHECK(counters == operations);

  const std::string page = test::contents(folder / "m.html");
  CHECK(page.find("<svg") != std::string::npos);
  CHECK(page.find("prefers-color-scheme: dark") != std::string::npos);
  for (const char* outside : {"http://", "https://", "src=", "@import", "url("}) {
    INFO(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
  CHECK(test::contents(folder / "m.png").starts_with("\x89PNG"));
  test::check_refused(test::ascore(words), 2, "--overwrite");
}

TEST_CASE("profile refuses what makes no sense in one line", "[program]") {
  const Folder folder;
  const std::vector<std::pair<Words, std::string>> rows = {
      {{"--batch", "0"}, "--batch"},
      {{"--recompute", "all"}, "--recompute"},
      {{"--steps", "1"}, "--steps"},
      {{"--memory", "lots"}, "--memory lots"},
      {{"--dry-run", "--trace", folder / "t"}, "--trace"},
      {{"--json", folder / "none/x.json"}, "none"},
      {{"--batch", "100000"}, "training samples"},
  };
  for (const auto& [more, culprit] : rows) {
    Words words{"profile", "digits_plain", "--set", "score.width=4"};
    words.insert(words.end(), more.begin(), more.end());
    test::check_refused(test::ascore(words), 2, culprit);
  }
  test::check_refused(test::ascore({"profile", "no_such_recipe", "--dry-run"}), 3, "no_such_recipe");
}

TEST_CASE("training beyond --memory exits 4 and says which batch would fit, which then trains", "[program]") {
  const Folder folder;
  const auto train = [&](const char* out, const std::string& batch) {
    return test::ascore({"train", "digits_plain", "--out", folder / out, "--quiet", "--threads", "1", "--max-steps",
                         "3", "--memory", "24MiB", "--set", "score.width=16", "--set", "training.batch_size=" + batch,
                         "--set", "training.preview_every=0", "--set", "training.held_out_every=0"});
  };
  const Finished done = train("run", "500");
  test::check_refused(done, 4, "--memory 24MiB");
  CHECK(done.err.find("MiB wanted for ") != std::string::npos);
  CHECK(done.err.find("MiB in use: ") != std::string::npos);
  const std::string before = "training.batch_size = ";
  const size_t at = done.err.find(before);
  REQUIRE(at != std::string::npos);
  const int64_t advised = std::stol(done.err.substr(at + before.size()));
  CHECK(advised > 1);
  CHECK(advised < 500);
  const Finished smaller = train("smaller", std::to_string(advised));
  INFO(smaller.err);
  CHECK(smaller.code == 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // sanitizers keep memory of their own
TEST_CASE("the slope per image is that of the process's own peak", "[program]") {
  const Folder folder;
  struct Point {
    double ledger, process;
  };
  const auto measured = [&](const char* batch) {
    const std::string json = folder / (std::string(batch) + ".json");
    double kib = 0;
    const Finished done =
        test::ascore({"profile", "digits_plain", "--threads", "2", "--batch", batch, "--set", "score.width=64",
                      "--json", json, "--memory", "1GiB"},
                     [&](pid_t process) {  // VmHWM only grows: the last value read before the end is the peak
                       const std::string file = fmt::format("/proc/{}/status", process);
                       for (bool running = true; running;) {
                         running = false;
                         std::ifstream status(file);
                         for (std::string line; std::getline(status, line);) {
                           if (!line.starts_with("VmHWM:")) continue;
                           kib = std::max(kib, std::stod(line.substr(6)));
                           running = true;
                         }
                         usleep(2000);
                       }
                     });
    INFO(done.err);
    REQUIRE(done.code == 0);
    return Point{json_of(json)["peak_bytes"].get<double>(), kib * 1024};
  };
  const Point small = measured("50"), large = measured("250");
  check_close(large.ledger - small.ledger, large.process - small.process, 0.15);
}
#endif
