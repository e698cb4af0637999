#pragma once

#include "engine/dist/launch.hpp"
#include "tools/exit_code.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace ascore::tools {

/// Options of the commands that several processes can run together.
struct RankOptions {
  LaunchFlags flags;
  double peer_timeout = 20;  ///< seconds without a sign of life after which a rank is lost
};
void add_rank_options(CLI::App& command, RankOptions& options);

/// Joins the ranks of this job, as the options and the launcher's variables say, and runs a command as one of them
/// (run_as_rank). A process that is busy when another rank is lost, and does not notice within a few seconds, is ended
/// with one line on stderr and exit code 7.
ExitCode run_joined(const RankOptions& options, Device device, RankTraffic traffic,
                    const std::function<ExitCode(Communicator&)>& work);

}  // namespace ascore::tools
