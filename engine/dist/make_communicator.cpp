#include "engine/dist/launch.hpp"
#include "engine/dist/mpi_transport.hpp"
#include "engine/dist/tcp_transport.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {

std::unique_ptr<dist::Transport> open_transport(const Placement& placement) {
  const Rendezvous& rendezvous = placement.rendezvous;
  if (rendezvous.kind == Rendezvous::Kind::mpi) return dist::make_mpi_transport(placement.rank, placement.size);
  const dist::Meeting meeting{.host = rendezvous.host, .port = rendezvous.port, .file = rendezvous.path};
  return dist::make_tcp_transport(meeting, placement.rank, placement.size);
}

}  // namespace

std::unique_ptr<Communicator> make_communicator(const Placement& placement, Device device,
                                                const dist::FailureOptions& failure) {
  if (placement.size == 1) return make_self_communicator();
  if (device == Device::cuda) {
    throw DeviceError(
        fmt::format("{} ranks on cuda: this version joins ranks on the cpu and on simt only", placement.size));
  }
  return dist::make_host_communicator([&] { return open_transport(placement); }, placement.local_rank, failure);
}

}  // namespace ascore
