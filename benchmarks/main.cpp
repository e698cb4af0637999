#include "benchmarks/commands.hpp"
#include "kernels/core/error.hpp"

#include <string_view>

#include <fmt/format.h>

int main(int argc, char** argv) {
  using namespace ascore;
  constexpr std::string_view usage =
      "usage: ascore-bench step|conv2d [--key number ...]  (see benchmarks/commands.hpp)\n";
  const std::string_view command = argc > 1 ? argv[1] : "";
  try {
    bench::Options options(std::max(0, argc - 2), argv + std::min(argc, 2));
    if (command == "step") {
      bench::step(options);
    } else if (command == "conv2d") {
      bench::conv2d(options);
    } else {
      fmt::print(stderr, "{}", usage);
      return 2;
    }
    return 0;
  } catch (const ConfigError& error) {
    fmt::print(stderr, "ascore-bench: {}\n{}", error.what(), usage);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ascore-bench: {}\n", error.what());
    return 1;
  }
}
