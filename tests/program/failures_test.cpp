// Failures in the middle of a run: what is not finite, and memory that runs out.
#include "engine/io/json_lines.hpp"
#include "engine/training/checkpoint.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"

#include <regex>
#include <sys/resource.h>

#include <fmt/format.h>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;

Words points(const std::string& out, const Words& more) {
  Words words{"train", "gaussians25", "--out", out, "--threads", "1", "--quiet", "--set", "score.width=16"};
  for (const char* setting :
       {"critic.width=16", "noise.levels=10", "training.batch_size=16", "training.steps=30", "training.log_every=1",
        "training.checkpoint_every=1", "training.preview_every=0", "sampling.step_size=0"}) {
    words.insert(words.end(), {"--set", setting});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("a diverging run exits 5 at the step that is not finite, and resumes from the one before", "[program]") {
  const Folder folder;
  const Finished diverged = test::ascore(points(folder / "run", {"--set", "score.optimizer.lr=1e12"}));
  INFO(diverged.err);
  CHECK(diverged.code == 5);
  CHECK(diverged.error_lines() == 1);
  int64_t step = 0;
  REQUIRE(std::sscanf(diverged.err.c_str(), "ascore: step %ld: ", &step) == 1);
  REQUIRE(step > 1);
  CHECK(diverged.err.find("loss is") != std::string::npos);
  CHECK(diverged.err.find(fmt::format("resume from step {}", step - 1)) != std::string::npos);

  const Checkpoint last = read_checkpoint(find_checkpoint(folder / "run"));
  CHECK(last.step == step - 1);
  for (const auto& [name, tensor] : last.tensors) {
    INFO(name);
    CHECK(all_finite(tensor));
  }
  const auto lines = read_json_lines(folder / "run/metrics.jsonl");
  REQUIRE(lines.size() == static_cast<size_t>(step - 1));
  for (const auto& line : lines) CHECK(line.contains("loss"));  // null is not read as a number

  // Nothing has moved: resumed as it was, it fails at the same step again.
  const Finished again = test::ascore({"train", "--resume", "--out", folder / "run", "--threads", "1", "--quiet"});
  CHECK(again.code == 5);
  CHECK(again.err == diverged.err);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // sanitizers reserve terabytes of addresses
namespace {

/// Runs with at most `bytes` of address space.
Finished confined(const Words& words, rlim_t bytes) {
  return test::ascore(words, [&](pid_t process) {
    const rlimit limit{bytes, bytes};
    REQUIRE(prlimit(process, RLIMIT_AS, &limit, nullptr) == 0);
  });
}

}  // namespace

TEST_CASE("memory that runs out is exit code 4 and one line with the need and who holds the rest", "[program]") {
  const Folder folder;
  const Words words{"train",     "digits", "--out", folder / "run", "--set", "score.width=64",          "--quiet",
                    "--threads", "1",      "--set", "critic=false", "--set", "training.batch_size=1000"};
  const Finished done = confined(words, rlim_t{640} << 20);
  INFO(done.err);
  CHECK(done.code == 4);
  CHECK(done.error_lines() == 1);
  CHECK(done.err.find("MiB wanted for ") != std::string::npos);
  CHECK(done.err.find("MiB in use: activations ") != std::string::npos);
  CHECK(done.err.find("most by ") != std::string::npos);
  CHECK(test::ascore({"info", folder / "run"}).code == 0);  // its first checkpoint is there

  // What is advised can be trained in the same room.
  std::smatch batch;
  REQUIRE(std::regex_search(done.err, batch, std::regex("training\\.batch_size = ([0-9]+)")));
  const Folder other;
  const Finished advised = confined({"train", "digits", "--out", other / "run", "--set", "score.width=64", "--quiet",
                                     "--threads", "1", "--set", "critic=false", "--set", "training.preview_every=0",
                                     "--set", "training.batch_size=" + batch.str(1), "--set", "training.steps=3"},
                                    rlim_t{640} << 20);
  INFO(advised.err);
  CHECK(advised.code == 0);

  const Folder small;
  const Finished early = confined({"train", "digits", "--out", small / "run", "--set", "score.width=100000", "--quiet"},
                                  rlim_t{640} << 20);
  INFO(early.err);
  CHECK(early.code == 4);
  CHECK(early.error_lines() == 1);
  CHECK_FALSE(std::filesystem::exists(small / "run"));
}
#endif
