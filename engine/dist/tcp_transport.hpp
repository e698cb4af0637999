#pragma once

#include "engine/dist/rendezvous.hpp"
#include "engine/dist/transport.hpp"

namespace ascore::dist {

/// Sockets between all pairs of ranks. Together with all ranks; throws what meet() throws.
std::unique_ptr<Transport> make_tcp_transport(const Meeting& meeting, int rank, int size);

}  // namespace ascore::dist
