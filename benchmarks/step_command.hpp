#pragma once

namespace ascore::bench {

/// `ascore-bench step`: times of training and sampling steps of a recipe, one JSON line each (docs/performance.md tells
/// of the keys; benchmarks/peers/ print the same). Returns the exit code.
int step_command(int argc, char** argv);

}  // namespace ascore::bench
