// Signals end a training run between two steps, with a checkpoint; a second SIGINT ends it at once.
#include "engine/io/safetensors.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <csignal>
#include <thread>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;

Finished train(Words words, const std::string& out, const Words& more, const std::function<void(pid_t)>& during = {}) {
  words.insert(words.begin(), "train");
  words.insert(words.end(), {"--out", out, "--threads", "1", "--quiet"});
  words.insert(words.end(), more.begin(), more.end());
  return test::ascore(words, during);
}

/// Adversarial points: a step takes a millisecond.
Words quick_steps() {
  return {"gaussians25",
          "--set",
          "score.width=16",
          "--set",
          "critic.width=16",
          "--set",
          "noise.levels=10",
          "--set",
          "training.batch_size=16",
          "--set",
          "training.steps=1000000",
          "--set",
          "sampling.step_size=0",
          "--set",
          "training.preview_every=0",
          "--set",
          "training.log_every=1",
          "--set",
          "training.held_out_every=0"};
}
/// Digits in batches so large that a step takes long; each writes its line.
Words slow_steps() {
  return {"digits",
          "--set",
          "score.width=32",
          "--set",
          "training.batch_size=1400",
          "--set",
          "critic=false",
          "--set",
          "training.preview_every=0",
          "--set",
          "training.log_every=1",
          "--set",
          "training.held_out_every=0"};
}

/// Waits until `holds()`, for a minute at most.
template <class Condition>
void wait_until(Condition holds) {
  const auto begin = std::chrono::steady_clock::now();
  while (!holds() && std::chrono::steady_clock::now() - begin < std::chrono::minutes(1)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::filesystem::path last_checkpoint(const Folder& folder, const std::string& run) {
  std::string name = test::contents(folder / (run + "/checkpoints/latest"));
  name.pop_back();
  return folder / (run + "/checkpoints/" + name);
}

}  // namespace

TEST_CASE("SIGINT, SIGTERM and SIGUSR1 end a step, write a checkpoint and exit 75; --resume goes on from it",
          "[program]") {
  const int signal = GENERATE(SIGINT, SIGTERM, SIGUSR1);
  CAPTURE(signal);
  const Folder folder;
  const Finished stopped = train(quick_steps(), folder / "run", {}, [&](pid_t process) {
    wait_until([&] {
      std::error_code error;
      return std::filesystem::file_size(folder / "run/metrics.jsonl", error) > 200 && !error;
    });
    kill(process, signal);
  });
  INFO(stopped.err);
  REQUIRE(stopped.code == 75);
  CHECK(stopped.err.find("--resume") != std::string::npos);
  const int64_t step = std::stoll(stopped.err.substr(stopped.err.find("at step ") + 8));
  REQUIRE(step > 0);
  const std::string more = std::to_string(step + 3);
  REQUIRE(train(quick_steps(), folder / "run", {"--resume", "--max-steps", more}).code == 0);
  REQUIRE(train(quick_steps(), folder / "whole", {"--max-steps", more}).code == 0);
  const SafetensorsFile resumed = read_safetensors(last_checkpoint(folder, "run"));
  const SafetensorsFile whole = read_safetensors(last_checkpoint(folder, "whole"));
  CHECK(resumed.tensors == whole.tensors);
  CHECK(resumed.metadata == whole.metadata);
}

TEST_CASE("a second SIGINT ends a run within its step, with exit code 130 and its last checkpoint whole", "[program]") {
  Finished ended;
  for (int attempt = 0; attempt < 3 && ended.code != 130; ++attempt) {  // 75 if a step ended between the two
    const Folder folder;
    ended = train(slow_steps(), folder / "run", {}, [&](pid_t process) {
      wait_until([&] {  // a step is done, and the next one under way
        std::error_code error;
        return std::filesystem::file_size(folder / "run/metrics.jsonl", error) > 0 && !error;
      });
      kill(process, SIGINT);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // two at once would be one
      kill(process, SIGINT);
    });
    INFO(ended.err);
    CHECK((ended.code == 130 || ended.code == 75));
    CHECK(test::ascore({"info", folder / "run"}).code == 0);
  }
  CHECK(ended.code == 130);
  CHECK(ended.seconds < 30);
}
