#pragma once

namespace CLI {
class App;
}

namespace ascore::tools {

/// The studies of `ascore analyze`, a subcommand each.
void add_analyze_schedule(CLI::App& analyze);
void add_analyze_residual(CLI::App& analyze);
void add_analyze_levels(CLI::App& analyze);

}  // namespace ascore::tools
