#pragma once

#include "engine/dist/communicator.hpp"
#include "engine/dist/host_communicator.hpp"
#include "kernels/core/device.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ascore {

/// What a user says about the ranks of a job; what is left away, a launcher's variables say.
struct LaunchFlags {
  std::optional<int> rank = {}, world_size = {}, local_rank = {};
  std::string rendezvous = {};  ///< mpi, file:PATH, tcp:HOST:PORT; empty: as the launcher does
};

/// How the ranks of a job find each other.
struct Rendezvous {
  enum class Kind { none, mpi, file, tcp } kind = Kind::none;
  std::string path, host;
  int port = 0;
};

/// This process among those of its job.
struct Placement {
  int rank = 0, size = 1;
  int local_rank = 0;  ///< -1: to be found out, by host names
  std::string source;  ///< who said so: "flags", "torchrun", "Open MPI", "PMI", "Slurm"; empty for a process on its own
  Rendezvous rendezvous;
};

/// Reads a variable of the environment; null if it is not set. std::getenv, but for tests.
using Variables = std::function<const char*(const char*)>;

/// Which rank this process is, from the first of these that says so: flags; torchrun's variables (RANK, WORLD_SIZE,
/// LOCAL_RANK, and MASTER_ADDR, MASTER_PORT for the rendezvous); Open MPI's; PMI's; Slurm's for the tasks of a step.
/// Slurm's count only without MPI's: under mpirun they describe mpirun's own helpers. Throws ConfigError where two of
/// them contradict each other, naming both, and for what is incomplete or impossible.
Placement find_placement(const LaunchFlags& flags, const Variables& variable);

/// What ranks send each other: words, and whatever lies in host memory; or tensors on their devices too.
enum class RankTraffic : uint8_t { words, tensors };

/// Joins the ranks of the job: self for one process, which touches neither MPI nor sockets; else over MPI or sockets.
/// On cuda each takes the GPU of its local rank, and tensors go by NCCL; on simt they do if the variable ASCORE_NCCL
/// names a library that can. Together with all ranks. Throws ConfigError; DeviceError (no MPI in this build);
/// dist::SharedDeviceError (fewer GPUs than ranks, no NCCL); Error.
std::unique_ptr<Communicator> make_communicator(const Placement& placement, Device device,
                                                const dist::FailureOptions& failure,
                                                RankTraffic traffic = RankTraffic::tensors);

}  // namespace ascore
