#include "tests/engine/dist/job.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <string>

using namespace ascore;

namespace {

std::string words(const test::Job& job, int rank) {
  return job.text("words." + std::to_string(rank));
}

}  // namespace

TEST_CASE("collectives of processes over sockets agree with plain loops bit by bit", "[engine][dist]") {
  const int size = GENERATE(2, 4);
  test::Job job;
  job.start_ranks(size, "cases");
  for (int rank = 0; rank < size; ++rank) {
    CHECK(job.wait(static_cast<size_t>(rank), 60) == 0);
    CHECK(words(job, rank) == "done by tcp");
  }
  CHECK(job.text("meeting").empty());
  CHECK(job.text("output") == "");
}

TEST_CASE("a killed rank ends the others with exit code 7 and its name", "[engine][dist]") {
  const int killed = GENERATE(0, 2);
  const std::string mode = GENERATE("forever", "stuck");
  CAPTURE(killed, mode);
  test::Job job;
  job.start_ranks(3, mode);
  job.wait_for_ranks(3);
  job.signal_rank(killed, SIGKILL);
  for (int rank = 0; rank < 3; ++rank) {
    if (rank == killed) continue;
    CHECK(job.wait(static_cast<size_t>(rank), 20) == 7);
    CHECK_THAT(words(job, rank), Catch::StartsWith("rank " + std::to_string(killed) + " was lost"));
  }
}

TEST_CASE("ranks whose library hangs still leave a rank that was lost", "[engine][dist]") {
  test::Job job;
  job.start_ranks(3, "hung");
  job.wait_for_ranks(3);
  CHECK(job.wait(1, 2) == -1);  // they hang, and nobody is lost yet
  job.signal_rank(0, SIGKILL);
  for (const int rank : {1, 2}) {
    CHECK(job.wait(static_cast<size_t>(rank), 20) == 7);
    CHECK_THAT(words(job, rank), Catch::StartsWith("rank 0 was lost"));
  }
}

TEST_CASE("a stopped rank ends the others when it gave no sign of life for too long", "[engine][dist]") {
  const int stopped = GENERATE(0, 1);
  CAPTURE(stopped);
  test::Job job;
  job.start_ranks(3, "forever", {"--peer-timeout", "3"});
  job.wait_for_ranks(3);
  job.signal_rank(stopped, SIGSTOP);
  for (int rank = 0; rank < 3; ++rank) {
    if (rank == stopped) continue;
    CHECK(job.wait(static_cast<size_t>(rank), 20) == 7);
    CHECK_THAT(words(job, rank), Catch::StartsWith("rank " + std::to_string(stopped) + " was lost"));
    CHECK_THAT(words(job, rank), Catch::Contains("no sign of life for 3 s"));
  }
}

TEST_CASE("a rank that computes for longer than the timeout is not lost", "[engine][dist]") {
  test::Job job;
  job.start_ranks(2, "busy", {"--peer-timeout", "3"});
  CHECK(job.wait(0, 30) == 0);
  CHECK(job.wait(1, 30) == 0);
}

TEST_CASE("a rank that leaves with an error of its own is named, with its exit code", "[engine][dist]") {
  test::Job job;
  job.start_ranks(3, "fails");
  CHECK(job.wait(0, 30) == 7);
  CHECK(job.wait(1, 30) == 4);
  CHECK(job.wait(2, 30) == 7);
  for (const int rank : {0, 2}) {
    CHECK_THAT(words(job, rank), Catch::StartsWith("rank 1 was lost") && Catch::Contains("exit code 4"));
  }
}

TEST_CASE("ranks that never come to the end of their last call are ended", "[engine][dist]") {
  test::Job job;
  job.start_ranks(2, "endless", {"--peer-timeout", "1"});
  for (const int rank : {0, 1}) {
    CHECK(job.wait(rank, 20) == 7);
    CHECK_THAT(words(job, rank), Catch::StartsWith("the ranks did not all end within 1 s"));
  }
}

TEST_CASE("ranks that do not agree on their number are told so", "[engine][dist]") {
  test::Job job;
  const std::string meeting = "file:" + (job.folder() / "meeting").string();
  job.start({ASCORE_RANK_PROGRAM, "cases", job.folder(), "--rank", "0", "--world-size", "2", "--rendezvous", meeting});
  job.start({ASCORE_RANK_PROGRAM, "cases", job.folder(), "--rank", "1", "--world-size", "3", "--rendezvous", meeting});
  CHECK(job.wait(0, 30) == 1);
  CHECK(job.wait(1, 30) == 1);
  CHECK_THAT(job.text("output"), Catch::Contains("rank 1 says there are 3 ranks, rank 0 says 2"));
}
