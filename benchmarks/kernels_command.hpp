#pragma once

namespace ascore::bench {

/// `ascore-bench kernels`: every kernel over the shapes of the networks, one row each (Google Benchmark). Returns the
/// exit code: 1 if a result was wrong or an operation failed.
int kernels_command(int argc, char** argv);

}  // namespace ascore::bench
