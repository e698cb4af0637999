#include "tools/output_file.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore::tools {

void check_output_file(std::string_view option, const std::filesystem::path& file, bool overwrite) {
  const auto refuse = [&](const std::string& why) {
    throw ConfigError(fmt::format("{} {}: {}", option, file.string(), why));
  };
  std::error_code unknown;  // then writing it will say what is wrong
  if (file.empty()) refuse("is empty; name a file");
  if (std::filesystem::is_directory(file, unknown) || !file.has_filename()) refuse("is a folder; name a file");
  if (!overwrite && std::filesystem::exists(file, unknown)) refuse("exists; give --overwrite to replace it");
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, unknown)) refuse(fmt::format("there is no folder {}", folder.string()));
}

}  // namespace ascore::tools
