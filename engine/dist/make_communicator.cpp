#include "engine/dist/launch.hpp"
#include "engine/dist/mpi_transport.hpp"
#include "engine/dist/nccl_communicator.hpp"
#include "engine/dist/shared_failure.hpp"
#include "engine/dist/tcp_transport.hpp"
#include "kernels/core/cuda_runtime.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr double kMpiStart = 20;  // seconds in which all ranks are to start MPI, at least

std::unique_ptr<dist::Transport> open_transport(const Placement& placement) {
  const Rendezvous& rendezvous = placement.rendezvous;
  if (rendezvous.kind == Rendezvous::Kind::mpi) return dist::make_mpi_transport(placement.rank, placement.size);
  const dist::Meeting meeting{.host = rendezvous.host, .port = rendezvous.port, .file = rendezvous.path};
  return dist::make_tcp_transport(meeting, placement.rank, placement.size);
}

/// Makes the GPU of this rank the current one: every rank sees all of its machine's, or each only its own. What is
/// wrong; empty: nothing.
std::string use_own_gpu(int local_rank) {
  if constexpr (kCudaBuilt) {
    const int gpus = kernels::cuda::device_count();
    if (gpus > 1 && local_rank >= gpus) {
      return fmt::format("its machine has {} GPUs and at least {} ranks; start one rank for each GPU", gpus,
                         local_rank + 1);
    }
    kernels::cuda::use_device(gpus > 1 ? local_rank : 0);
  }
  return "";
}

bool by_nccl(Device device, RankTraffic traffic) {
  if (traffic == RankTraffic::words || device == Device::cpu) return false;
  const char* const named = std::getenv("ASCORE_NCCL");
  return device == Device::cuda || (named && *named);
}

}  // namespace

std::unique_ptr<Communicator> make_communicator(const Placement& placement, Device device,
                                                const dist::FailureOptions& failure, RankTraffic traffic) {
  if (placement.size == 1) return make_self_communicator();
  const auto open_host = [&](dist::FailureOptions options) {
    if (placement.rendezvous.kind == Rendezvous::Kind::mpi) {
      options.start_timeout = std::max(kMpiStart, options.peer_timeout);
    }
    auto host = dist::make_host_communicator([&] { return open_transport(placement); }, placement.local_rank,
                                             std::move(options));
    if (device == Device::cuda) dist::throw_together(*host, use_own_gpu(host->local_rank()));
    return host;
  };
  if (by_nccl(device, traffic)) return dist::make_nccl_communicator(open_host, device, failure);
  return open_host(failure);
}

}  // namespace ascore
