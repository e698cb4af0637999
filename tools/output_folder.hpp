#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ascore::tools {

/// A kind of output: the file by which a folder is known as ours, and everything that we write into one.
struct OutputKind {
  std::string what;                  ///< "run", "set of samples"
  std::string mark;                  ///< file that tells a folder of this kind: "recipe.toml"
  std::vector<std::string> entries;  ///< files and folders that --overwrite removes; the mark among them
};
const OutputKind& run_output();
const OutputKind& samples_output();

enum class IfExists { refuse, overwrite, keep };

/// Makes `folder` ready to be written to. A folder that has something in it: `refuse` throws ConfigError; `overwrite`
/// removes our own entries from it, and throws ConfigError if it is not of this kind; `keep` (resuming) only checks
/// that it is. Throws DiskError.
void prepare_folder(const std::filesystem::path& folder, const OutputKind& kind, IfExists if_exists);

}  // namespace ascore::tools
