// ascore-bench kernels|step ...: how fast, beside whom.
#include "benchmarks/kernels_command.hpp"
#include "benchmarks/step_command.hpp"
#include "tools/exit_code.hpp"
#include "tools/wait_policy.hpp"

#include <string_view>

#include <fmt/format.h>

int main(int argc, char** argv) {
  ascore::tools::let_waiting_threads_sleep(argv);
  const std::string_view command = argc > 1 ? argv[1] : "";
  try {
    if (command == "kernels") return ascore::bench::kernels_command(argc - 1, argv + 1);
    if (command == "step") return ascore::bench::step_command(argc - 1, argv + 1);
    fmt::print(stderr, "usage: ascore-bench kernels|step [--help]\n");
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ascore-bench: {}\n", ascore::tools::one_line(error));
    return static_cast<int>(ascore::tools::exit_code(error));
  }
}
