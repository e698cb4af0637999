#pragma once

#include "tools/exit_code.hpp"

namespace CLI {
class App;
}

namespace ascore::tools {

/// Each adds one command to the program; running it sets `result` or throws.
void add_train_command(CLI::App& program, ExitCode& result);
void add_sample_command(CLI::App& program, ExitCode& result);
void add_inpaint_command(CLI::App& program, ExitCode& result);
void add_interpolate_command(CLI::App& program, ExitCode& result);
void add_denoise_command(CLI::App& program, ExitCode& result);
void add_data_command(CLI::App& program, ExitCode& result);
void add_evaluate_command(CLI::App& program, ExitCode& result);
void add_stats_command(CLI::App& program, ExitCode& result);
void add_sweep_command(CLI::App& program, ExitCode& result);
void add_analyze_command(CLI::App& program, ExitCode& result);
void add_report_command(CLI::App& program, ExitCode& result);
void add_convert_command(CLI::App& program, ExitCode& result);
void add_info_command(CLI::App& program, ExitCode& result);
void add_profile_command(CLI::App& program, ExitCode& result);

}  // namespace ascore::tools
