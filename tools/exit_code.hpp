#pragma once

#include <exception>
#include <string>

namespace ascore::tools {

/// What the process returns; scripts tell causes apart by it.
enum class ExitCode : int {
  ok = 0,
  failed = 1,        ///< anything else
  usage = 2,         ///< options, recipe, output that exists
  data = 3,          ///< missing or broken data, run or checkpoint
  memory = 4,        ///< out of memory
  diverged = 5,      ///< non-finite values in training
  device = 6,        ///< no such device, driver or build
  peer_lost = 7,     ///< another rank of the job died or stopped
  disk = 8,          ///< reading or writing failed
  interrupted = 75,  ///< stopped by a signal, resumable
  killed = 130,      ///< stopped by a second signal
};

/// The code of an exception's type.
ExitCode exit_code(const std::exception& error);

/// The message as one line: line breaks (a memory table's) end it.
std::string one_line(const std::exception& error);

}  // namespace ascore::tools
