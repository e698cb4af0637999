#pragma once

#include "engine/dist/communicator.hpp"
#include "engine/dist/peer_lost.hpp"
#include "engine/dist/transport.hpp"

#include <functional>
#include <memory>

namespace ascore::dist {

/// What a rank does about the others' failures.
struct FailureOptions {
  /// Seconds without a sign of life after which a rank is lost; 0: ranks are not watched (threads of one process).
  double peer_timeout = 20;
  /// Seconds that this rank's program has to notice a loss by itself, in whatever it does together with others.
  double grace = 3;
  /// Called after the grace, on a thread of the communicator; should end the process. Under MPI the job is aborted
  /// after it. Where neither has ended the process two seconds later (MPI itself can hang where a rank was stopped in
  /// the midst of it), it is ended without more ado, with exit code 7; never if this is empty.
  std::function<void(const PeerLostError&)> leave = {};
  /// Called at once when a rank is lost, on a thread of the communicator.
  std::function<void()> on_loss = {};
  /// Asked many times a second, on a thread of the communicator: why this rank cannot go on; empty: it can. One that
  /// cannot is lost, unless another one was a moment before.
  std::function<std::string()> own_fault = {};
  /// Seconds in which all ranks must have started MPI; 0: as long as it takes. Then `leave` is called, as above.
  double start_timeout = 0;
};

/// A communicator for host memory (cpu and simt) over any transport. `open` makes the transport, on the communicator's
/// own thread, which does all that touches it; operations wait for that thread, all-reduces that were started do not.
/// `local_rank` below 0: found out by host names.
std::unique_ptr<Communicator> make_host_communicator(std::function<std::unique_ptr<Transport>()> open, int local_rank,
                                                     FailureOptions failure = {});

}  // namespace ascore::dist
