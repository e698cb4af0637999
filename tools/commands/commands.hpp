#pragma once

#include "tools/exit_code.hpp"

namespace CLI {
class App;
}

namespace ascore::tools {

/// Each adds one command to the program; running it sets `result` or throws.
void add_info_command(CLI::App& program, ExitCode& result);

}  // namespace ascore::tools
