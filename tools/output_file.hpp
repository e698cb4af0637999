#pragma once

#include <filesystem>
#include <string_view>

namespace ascore::tools {

/// For a command that writes one file, before it computes anything: throws ConfigError, naming the option, if `file`
/// exists and `overwrite` is false, if it is a folder, or if the folder that it would lie in does not exist.
void check_output_file(std::string_view option, const std::filesystem::path& file, bool overwrite);

}  // namespace ascore::tools
