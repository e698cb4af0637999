// Ranks joined by NCCL's interface, which standin_nccl.cpp offers on the memory of the emulated device.
#include "engine/dist/nccl_link.hpp"
#include "tests/engine/dist/job.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace ascore;

namespace {

/// Variables that processes of a job find, for as long as this lives.
class Variables {
 public:
  using Values = std::vector<std::pair<std::string, std::string>>;
  explicit Variables(Values values) : values_(std::move(values)) {
    for (const auto& [name, value] : values_) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& [name, value] : values_) unsetenv(name.c_str());
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  Values values_;
};

/// Ranks on simt that sum by the stand-in, whose log lies in the job's folder.
struct NcclJob {
  NcclJob(int size, const std::string& mode, Variables::Values more = {}, std::vector<std::string> options = {}) {
    more.emplace_back("STANDIN_NCCL_LOG", (job.folder() / "calls").string());
    more.emplace_back("ASCORE_NCCL", ASCORE_STANDIN_NCCL);
    const Variables variables(std::move(more));
    options.insert(options.end(), {"--device", "simt"});
    job.start_ranks(size, mode, options);
  }

  std::string words(int rank) const { return job.text("words." + std::to_string(rank)); }
  std::vector<std::string> calls(int rank) const {
    std::istringstream text(job.text("calls." + std::to_string(rank)));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  test::Job job;
};

size_t halls() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    if (entry.path().filename().string().starts_with("ascore-standin-")) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("collectives by NCCL agree with plain loops, in the same calls on all ranks", "[engine][dist]") {
  const int size = GENERATE(2, 4);
  const size_t before = halls();
  NcclJob job(size, "cases");
  for (int rank = 0; rank < size; ++rank) {
    CHECK(job.job.wait(static_cast<size_t>(rank), 60) == 0);
    CHECK(job.words(rank) == "done by nccl");
    const std::vector<std::string> calls = job.calls(rank);
    REQUIRE(calls.size() > 10);
    CHECK(calls.front() == "init");
    CHECK(calls[1] == "all_reduce 1 of type 7");  // empty sums are none
    CHECK(calls[calls.size() - 2] == "finalize");
    CHECK(calls.back() == "destroy");
    CHECK(calls == job.calls(0));
  }
  CHECK(job.job.text("output") == "");
  CHECK(halls() == before);
}

TEST_CASE("buckets of gradients are summed by NCCL as by a plain loop, in captured steps too", "[engine][dist]") {
  NcclJob job(3, "buckets");
  for (int rank = 0; rank < 3; ++rank) {
    CHECK(job.job.wait(static_cast<size_t>(rank), 60) == 0);
    CHECK(job.words(rank) == "done by nccl");
    // 11 buckets: at once, and in two replays
    CHECK(job.calls(rank).size() == 1 + 3 * 11 + 2);
  }
}

TEST_CASE("a killed or stopped rank ends the sums of the others, by an abort, with its name", "[engine][dist]") {
  const auto [victim, mode, signal] =
      GENERATE(table<int, std::string, int>({{0, "forever", SIGKILL}, {2, "stuck", SIGKILL}, {1, "forever", SIGSTOP}}));
  CAPTURE(victim, mode, signal);
  NcclJob job(3, mode, {}, {"--peer-timeout", "3"});
  job.job.wait_for_ranks(3);
  job.job.signal_rank(victim, signal);
  for (int rank = 0; rank < 3; ++rank) {
    if (rank == victim) continue;
    CHECK(job.job.wait(static_cast<size_t>(rank), 20) == 7);
    CHECK_THAT(job.words(rank), Catch::StartsWith("rank " + std::to_string(victim) + " was lost"));
    CHECK(job.calls(rank).back() == "abort");
  }
}

TEST_CASE("an asynchronous error of NCCL aborts it, and the others name the rank", "[engine][dist]") {
  NcclJob job(3, "forever", {{"STANDIN_NCCL_FAIL", "1:5"}});
  for (int rank = 0; rank < 3; ++rank) {
    CAPTURE(rank);
    CHECK(job.job.wait(static_cast<size_t>(rank), 30) == 7);
    CHECK_THAT(job.words(rank), Catch::StartsWith("rank 1 was lost"));
    CHECK(job.calls(rank).back() == "abort");
  }
  CHECK_THAT(job.words(1), Catch::Contains("remote process exited or there was a network error (planted)"));
  CHECK_THAT(job.words(0), Catch::Contains("exit code 6"));
}

TEST_CASE("whoever aborts NCCL does not wait for it, and can ask why at once", "[engine][dist]") {
  const Variables library(
      {{"ASCORE_NCCL", ASCORE_STANDIN_NCCL}, {"NCCL_NVLS_ENABLE", "0"}, {"STANDIN_NCCL_ABORT_MS", "1000"}});
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  {
    dist::NcclLink link;
    dist::nccl::UniqueId id{};
    REQUIRE(dist::nccl::open().get_unique_id(&id) == dist::nccl::Result::success);
    link.start(dist::nccl::open(), 1, id, 0);
    while (link.look() == dist::NcclLink::State::busy) continue;
    REQUIRE(link.look() == dist::NcclLink::State::ready);
    link.abort("first");
    link.abort("second");
    CHECK(link.look() == dist::NcclLink::State::broken);
    CHECK(link.why_broken() == "first");
    CHECK(seconds() < 0.9);
  }
  CHECK(seconds() >= 1);  // what it leaves behind is gone with it
}

TEST_CASE("a rank that fails by itself ends the sums of the others", "[engine][dist]") {
  NcclJob job(2, "fails");
  CHECK(job.job.wait(0, 30) == 7);
  CHECK(job.job.wait(1, 30) == 4);
  CHECK_THAT(job.words(0), Catch::StartsWith("rank 1 was lost") && Catch::Contains("exit code 4"));
}

TEST_CASE("an NCCL that is missing or too old is told by one rank, in one line, and ends all with 6",
          "[engine][dist]") {
  const auto [name, value, words] = GENERATE(table<std::string, std::string, std::string>(
      {{"ASCORE_NCCL", "/nowhere/libnccl.so.2",
        "rank_program: rank 0: NCCL, which ASCORE_NCCL names, cannot be opened; /nowhere/libnccl.so.2: "},
       {"STANDIN_NCCL_VERSION", "21603", "is NCCL 2.16.3; 2.18 or later is needed"}}));
  test::Job job;
  {
    const Variables library({std::pair("ASCORE_NCCL", ASCORE_STANDIN_NCCL)});
    const Variables other({std::pair(name, value)});
    job.start_ranks(2, "cases", {"--device", "simt"});
  }
  CHECK(job.wait(0, 30) == 6);
  CHECK(job.wait(1, 30) == 6);
  const std::string output = job.text("output");
  CHECK_THAT(output, Catch::Contains(words));
  CHECK(std::count(output.begin(), output.end(), '\n') == 1);
}
