#include "tools/output_folder.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore::tools {

namespace fs = std::filesystem;

const OutputKind& run_output() {
  static const OutputKind kind{"run", "recipe.toml", {"checkpoints", "samples", "metrics.jsonl", "recipe.toml"}};
  return kind;
}

const OutputKind& samples_output() {
  static const OutputKind kind{
      "set of samples", "samples.npz", {"images", "grid.png", "grid_plain.png", "samples_plain.npz", "samples.npz"}};
  return kind;
}

void prepare_folder(const fs::path& folder, const OutputKind& kind, IfExists if_exists) {
  const std::string name = folder.string();
  try {
    if (fs::exists(folder) && !fs::is_directory(folder)) {
      throw ConfigError(fmt::format("--out {}: is a file; name a folder", name));
    }
    if (fs::exists(folder) && !fs::is_empty(folder)) {
      const bool ours = fs::is_regular_file(folder / kind.mark);
      if (if_exists == IfExists::refuse) {
        const char* resume = kind.mark == "recipe.toml" ? "--resume to go on, " : "";
        throw ConfigError(
            fmt::format("--out {}: exists and is not empty; give {}--overwrite to replace it", name, resume));
      }
      if (!ours) {
        throw ConfigError(fmt::format("--out {}: is not a {} (it has no {}); nothing was changed, name another folder",
                                      name, kind.what, kind.mark));
      }
      if (if_exists == IfExists::overwrite) {
        for (const std::string& entry : kind.entries) fs::remove_all(folder / entry);
      }
    }
    fs::create_directories(folder);
  } catch (const fs::filesystem_error& error) {
    throw DiskError(fmt::format("--out {}: {}", name, error.code().message()));
  }
}

}  // namespace ascore::tools
