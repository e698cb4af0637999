// The program: commands, and how failures leave it. Results go to stdout, messages to stderr, a failure is one line.
#include "kernels/core/error.hpp"
#include "tools/build_info.hpp"
#include "tools/commands/commands.hpp"
#include "tools/exit_code.hpp"
#include "tools/wait_policy.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

using ascore::tools::ExitCode;

namespace {

int fail(const std::exception& error) {
  fmt::print(stderr, "ascore: {}\n", ascore::tools::one_line(error));
  return static_cast<int>(ascore::tools::exit_code(error));
}

ExitCode usage_error(const CLI::App& program, const std::string& what) {
  const auto used = program.get_subcommands();
  fmt::print(stderr, "ascore: {}; see ascore {}--help\n", what, used.empty() ? "" : used.front()->get_name() + " ");
  return ExitCode::usage;
}

ExitCode run(int argc, char** argv) {
  ExitCode result = ExitCode::ok;
  CLI::App program("Adversarial score matching and consistent annealed sampling", "ascore");
  program.set_version_flag("--version", "ascore " + ascore::tools::build_info().version, "Print the version and exit");
  program.require_subcommand(1);
  ascore::tools::add_train_command(program, result);
  ascore::tools::add_sample_command(program, result);
  ascore::tools::add_inpaint_command(program, result);
  ascore::tools::add_interpolate_command(program, result);
  ascore::tools::add_denoise_command(program, result);
  ascore::tools::add_evaluate_command(program, result);
  ascore::tools::add_stats_command(program, result);
  ascore::tools::add_sweep_command(program, result);
  ascore::tools::add_analyze_command(program, result);
  ascore::tools::add_report_command(program, result);
  ascore::tools::add_info_command(program, result);
  ascore::tools::add_profile_command(program, result);
  ascore::tools::add_data_command(program, result);
  ascore::tools::add_convert_command(program, result);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    program.exit(wanted);
  } catch (const CLI::RequiredError& error) {
    const std::vector<std::string> unknown = program.remaining(/*recurse=*/true);  // says more than what is missing
    if (unknown.empty()) return usage_error(program, error.what());
    return usage_error(program, fmt::format("'{}' is not known here", unknown.front()));
  } catch (const CLI::ParseError& error) {
    return usage_error(program, ascore::tools::one_line(error));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  ascore::tools::let_waiting_threads_sleep(argv);
  try {
    const ExitCode result = run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      throw ascore::DiskError(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
    }
    return static_cast<int>(result);
  } catch (const std::exception& error) {
    return fail(error);
  }
}
