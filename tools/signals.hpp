#pragma once

#include <atomic>

namespace ascore::tools {

/// From now on SIGINT, SIGTERM and SIGUSR1 raise the returned flag, once, and say so on stderr if this process
/// `speaks`; after that, SIGINT ends the process with 130.
const std::atomic<bool>& stop_on_signals(bool speaks = true);

}  // namespace ascore::tools
