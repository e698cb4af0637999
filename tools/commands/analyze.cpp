// ascore analyze STUDY: what samplers and trained networks do, level by level.
#include "tools/commands/analyze.hpp"

#include "tools/commands/commands.hpp"

#include <CLI/CLI.hpp>

namespace ascore::tools {

void add_analyze_command(CLI::App& program, ExitCode&) {
  auto* analyze = program.add_subcommand("analyze", "Studies of samplers and trained networks");
  analyze->require_subcommand(1);
  add_analyze_schedule(*analyze);
  add_analyze_residual(*analyze);
  add_analyze_levels(*analyze);
}

}  // namespace ascore::tools
