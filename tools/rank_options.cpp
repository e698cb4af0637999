#include "tools/rank_options.hpp"

#include "engine/dist/shared_failure.hpp"
#include "tools/ranks.hpp"
#include "tools/validators.hpp"

#include <cstdlib>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {

void add_rank_options(CLI::App& command, RankOptions& options) {
  const char* group = "Several processes (mpirun, srun and torchrun say all of this by themselves)";
  command.add_option("--rank", options.flags.rank, "number of this process, from 0")
      ->check(whole_number(0))
      ->type_name("N")
      ->group(group);
  command.add_option("--world-size", options.flags.world_size, "how many processes there are")
      ->check(whole_number(1))
      ->type_name("N")
      ->group(group);
  command.add_option("--local-rank", options.flags.local_rank, "number of this process on its machine, from 0")
      ->check(whole_number(0))
      ->type_name("N")
      ->group(group);
  command
      .add_option("--rendezvous", options.flags.rendezvous,
                  "how they find each other: mpi, file:PATH (a shared one), tcp:HOST:PORT (of rank 0)")
      ->type_name("HOW")
      ->group(group);
  command
      .add_option("--peer-timeout", options.peer_timeout, "seconds without a sign of life that make a rank a lost one")
      ->check(CLI::Range(1.0, 86400.0))
      ->type_name("S")
      ->group(group);
}

namespace {

std::unique_ptr<Communicator> join_ranks(const RankOptions& options, Device device, RankTraffic traffic) {
  const Placement placement = find_placement(options.flags, [](const char* name) { return std::getenv(name); });
  const bool by_mpi = placement.rendezvous.kind == Rendezvous::Kind::mpi;
  const auto leave = [rank = placement.rank, by_mpi](const PeerLostError& lost) {
    fmt::print(stderr, "ascore: rank {}: {}\n", rank, one_line(lost));
    if (!by_mpi) _exit(static_cast<int>(ExitCode::peer_lost));  // MPI aborts all ranks
  };
  return make_communicator(placement, device, {.peer_timeout = options.peer_timeout, .leave = leave}, traffic);
}

}  // namespace

ExitCode run_joined(const RankOptions& options, Device device, RankTraffic traffic,
                    const std::function<ExitCode(Communicator&)>& work) {
  std::unique_ptr<Communicator> ranks;
  try {
    ranks = join_ranks(options, device, traffic);
  } catch (const dist::SharedDeviceError& error) {
    if (error.speaks()) throw;
    return exit_code(error);
  }
  return run_as_rank(*ranks, [&] { return work(*ranks); });
}

}  // namespace ascore::tools
