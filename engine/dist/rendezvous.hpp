#pragma once

#include "engine/dist/socket.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ascore::dist {

/// Where ranks without MPI find each other: rank 0 waits at `host`:`port`, or writes into `file` where it waits.
struct Meeting {
  std::string host;
  int port = 0;
  std::filesystem::path file;  ///< if not empty, it counts
  double timeout = 60;         ///< seconds that ranks wait for each other
};

/// Connects every rank with every other: result[r] leads to rank r, its own is closed. Rank 0 takes the others'
/// addresses and hands out the list, then the higher rank of a pair calls the lower. Throws ConfigError if ranks do not
/// agree on their number or two claim one place; Error if some do not come in time, naming them.
std::vector<Socket> meet(const Meeting& meeting, int rank, int size);

/// A line from every rank to rank 0 at `endpoint` (of `listener` on rank 0, elsewhere unused): on rank 0 result[r]
/// leads to rank r; elsewhere result[0] to rank 0. `secret` is the same on all ranks of a job, and unlike other jobs'.
std::vector<Socket> meet_at_root(const Listener* listener, const Endpoint& endpoint, const std::string& secret,
                                 int rank, int size, double timeout);

/// Hexadecimal digits that nobody else draws.
std::string make_secret();

}  // namespace ascore::dist
