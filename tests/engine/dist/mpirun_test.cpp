#include "tests/engine/dist/job.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <string>

using namespace ascore;

TEST_CASE("collectives under mpirun agree with plain loops bit by bit", "[engine][dist]") {
  const int size = GENERATE(1, 2, 3);
  CAPTURE(size);
  test::Job job;
  job.start_mpirun(size, "cases");
  const int code = job.wait(0, 90);
  INFO(job.text("output"));
  CHECK(code == 0);
  for (int rank = 0; rank < size; ++rank) {
    CHECK(job.text("words." + std::to_string(rank)) == (size == 1 ? "done by self" : "done by mpi"));
  }
}

TEST_CASE("mpirun ends the whole job when a rank is killed or stopped", "[engine][dist]") {
  const auto [rank, signal] = GENERATE(table<int, int>({{1, SIGKILL}, {0, SIGSTOP}, {2, SIGSTOP}}));
  const std::string mode = signal == SIGKILL ? "forever" : "stuck";
  CAPTURE(rank, signal);
  test::Job job;
  job.start_mpirun(3, mode, {"--peer-timeout", "3"});
  job.wait_for_ranks(3);
  job.signal_rank(rank, signal);
  const int code = job.wait(0, 30);
  INFO(job.text("output"));
  CHECK(code > 0);
  CHECK(job.left_over(3).empty());
}

TEST_CASE("an error of one rank ends the whole job with its exit code", "[engine][dist]") {
  test::Job job;
  job.start_mpirun(2, "fails");
  const int code = job.wait(0, 30);
  INFO(job.text("output"));
  CHECK(code == 4);
  CHECK(job.left_over(2).empty());
}

TEST_CASE("a job of which one process never starts MPI ends by itself, and says so", "[engine][dist]") {
  test::Job job;
  job.start({"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "1", ASCORE_RANK_PROGRAM, "cases", job.folder(),
             ":", "-n", "1", "sleep", "60"});
  const int code = job.wait(0, 30);
  CHECK(code > 0);
  CHECK_THAT(job.text("words.0"), Catch::StartsWith("the ranks did not all start within 20 s"));
}
