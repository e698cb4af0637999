#pragma once

#include "engine/dist/communicator.hpp"
#include "engine/dist/transport.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace ascore::test {

/// Transports between threads of this process: result[r] is rank r's. One that is destroyed breaks its connections.
std::vector<std::unique_ptr<dist::Transport>> in_process_transports(int size);

/// Calls body(communicator) for `size` ranks, each on a thread of its own, and waits for all. A body that returns has
/// finished regularly. Throws the error of the lowest rank that threw, after all have ended.
void run_ranks(int size, const std::function<void(Communicator&)>& body);

}  // namespace ascore::test
