#include "engine/dist/launch.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

#include <map>

using namespace ascore;

namespace {

using Environment = std::map<std::string, std::string>;

Placement placement(const Environment& environment, const LaunchFlags& flags = {}) {
  return find_placement(flags, [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

Environment operator+(Environment one, const Environment& other) {
  one.insert(other.begin(), other.end());
  return one;
}

const Environment kTorchrun{
    {"RANK", "1"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "1"}, {"MASTER_ADDR", "h"}, {"MASTER_PORT", "29500"}};
const Environment kOpenMpi{
    {"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "0"}};
const Environment kPmi{{"PMI_RANK", "2"}, {"PMI_SIZE", "3"}, {"MPI_LOCALRANKID", "2"}};
const Environment kSlurm{{"SLURM_PROCID", "5"}, {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_LOCALID", "1"}};

}  // namespace

TEST_CASE("a process without any launcher is on its own", "[engine][dist]") {
  const Environment batch_script{{"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}, {"SLURM_NTASKS", "4"}};
  for (const Environment& environment : {Environment{}, batch_script}) {
    const Placement alone = placement(environment);
    CHECK(alone.size == 1);
    CHECK(alone.rank == 0);
    CHECK(alone.source.empty());
    CHECK(alone.rendezvous.kind == Rendezvous::Kind::none);
    CHECK(make_communicator(alone, Device::cpu, {})->kind() == "self");
  }
}

TEST_CASE("every launcher's variables say which rank this is", "[engine][dist]") {
  struct Case {
    Environment environment;
    std::string source;
    int rank, size, local_rank;
    Rendezvous::Kind kind;
  };
  const Environment daemon{{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_LOCALID", "0"}};
  const std::vector<Case> cases{
      {kTorchrun, "torchrun", 1, 4, 1, Rendezvous::Kind::tcp},
      {kOpenMpi, "Open MPI", 1, 4, 0, Rendezvous::Kind::mpi},
      {kPmi, "PMI", 2, 3, 2, Rendezvous::Kind::mpi},
      {kSlurm, "Slurm", 5, 8, 1, Rendezvous::Kind::mpi},
      {kOpenMpi + daemon, "Open MPI", 1, 4, 0, Rendezvous::Kind::mpi},
      {{{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}}, "Open MPI", 0, 1, 0, Rendezvous::Kind::none},
      {{{"RANK", "1"},
        {"WORLD_SIZE", "4"},
        {"MASTER_ADDR", "h"},
        {"MASTER_PORT", "1"},
        {"OMPI_COMM_WORLD_RANK", "1"},
        {"OMPI_COMM_WORLD_SIZE", "4"},
        {"OMPI_COMM_WORLD_LOCAL_RANK", "3"}},
       "torchrun",
       1,
       4,
       3,
       Rendezvous::Kind::tcp}};
  for (const Case& one : cases) {
    CAPTURE(one.source);
    const Placement found = placement(one.environment);
    CHECK(found.source == one.source);
    CHECK(found.rank == one.rank);
    CHECK(found.size == one.size);
    CHECK(found.local_rank == one.local_rank);
    CHECK(found.rendezvous.kind == one.kind);
  }
  CHECK(placement(kTorchrun).rendezvous.host == "h");
  CHECK(placement(kTorchrun).rendezvous.port == 29500);
}

TEST_CASE("flags come first, and say how ranks meet", "[engine][dist]") {
  const Placement file = placement({}, {.rank = 2, .world_size = 3, .rendezvous = "file:/a b/c"});
  CHECK(file.source == "flags");
  CHECK(file.rank == 2);
  CHECK(file.local_rank == -1);
  CHECK(file.rendezvous.kind == Rendezvous::Kind::file);
  CHECK(file.rendezvous.path == "/a b/c");
  const Placement tcp = placement(kOpenMpi, {.rank = 1, .world_size = 4, .rendezvous = "tcp:10.0.0.1:4711"});
  CHECK(tcp.local_rank == 0);
  CHECK(tcp.rendezvous.host == "10.0.0.1");
  CHECK(tcp.rendezvous.port == 4711);
  CHECK(placement(kTorchrun, {.rendezvous = "file:x"}).rendezvous.kind == Rendezvous::Kind::file);
}

namespace {

/// Refused in one line that has all of these words.
void check_refused(const Environment& environment, const LaunchFlags& flags, const std::vector<std::string>& named) {
  CAPTURE(named.front());
  std::string message;
  try {
    placement(environment, flags);
  } catch (const ConfigError& error) {
    message = error.what();
  }
  CHECK_FALSE(message.empty());
  for (const std::string& word : named) CHECK_THAT(message, Catch::Contains(word));
}

}  // namespace

TEST_CASE("ranks of torchrun meet beside the port at which it listens itself", "[engine][dist]") {
  CHECK(placement(kTorchrun).rendezvous.port == 29500);
  CHECK(placement(kTorchrun + Environment{{"TORCHELASTIC_USE_AGENT_STORE", "False"}}).rendezvous.port == 29500);
  const Environment elastic = kTorchrun + Environment{{"TORCHELASTIC_USE_AGENT_STORE", "True"}};
  CHECK(placement(elastic).rendezvous.port == 29501);
  CHECK(placement(Environment{{"MASTER_PORT", "65535"}} + elastic).rendezvous.port == 65534);
  check_refused(Environment{{"MASTER_PORT", "many"}} + kTorchrun, {}, {"MASTER_PORT", "tcp:h:many"});
}

TEST_CASE("contradictions between sources are refused, with both named", "[engine][dist]") {
  check_refused(kOpenMpi, {.rank = 2, .world_size = 4}, {"--rank", "rank 2 of 4", "Open MPI", "rank 1 of 4"});
  check_refused(kOpenMpi, {.rank = 1, .world_size = 2}, {"--world-size", "rank 1 of 2", "Open MPI"});
  check_refused(kOpenMpi, {.rank = 1, .world_size = 4, .local_rank = 1}, {"local rank 1", "Open MPI", "local rank 0"});
  check_refused(kTorchrun, {.rank = 0, .world_size = 4}, {"--rank", "torchrun", "RANK"});
  check_refused(kTorchrun + kPmi, {}, {"torchrun", "PMI", "rank 2 of 3"});
  check_refused(kOpenMpi + kPmi, {}, {"Open MPI", "PMI_RANK"});
  check_refused(kTorchrun + kSlurm, {}, {"torchrun", "Slurm", "rank 5 of 8"});
}

TEST_CASE("what is incomplete or impossible about ranks is refused", "[engine][dist]") {
  check_refused({}, {.rank = 1, .rendezvous = "file:x"}, {"--rank", "--world-size is not"});
  check_refused({{"WORLD_SIZE", "2"}}, {}, {"WORLD_SIZE is given", "RANK is not"});
  check_refused({{"RANK", "x"}, {"WORLD_SIZE", "2"}}, {}, {"RANK='x'"});
  check_refused({{"RANK", "-1"}, {"WORLD_SIZE", "2"}}, {}, {"RANK='-1'"});
  check_refused({}, {.rank = 3, .world_size = 3, .rendezvous = "file:x"}, {"rank 3 of 3"});
  check_refused({}, {.rank = 0, .world_size = 2}, {"--rendezvous"});
  check_refused({{"RANK", "0"}, {"WORLD_SIZE", "2"}}, {}, {"MASTER_ADDR"});
  check_refused({}, {.local_rank = 0}, {"--local-rank"});
  check_refused({}, {.rendezvous = "file:x"}, {"--rendezvous file:x"});
  check_refused({}, {.rank = 0, .world_size = 2, .rendezvous = "mpi"}, {"mpirun"});
  for (const std::string how : {"tcp:host", "tcp:host:99999", "tcp:host:1x", "tcp::1", "file:", "udp:x"}) {
    check_refused({}, {.rank = 0, .world_size = 2, .rendezvous = how}, {how, "tcp:HOST:PORT"});
  }
}
