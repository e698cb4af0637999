#pragma once

#include "tools/recipe/recipe.hpp"
#include "tools/run_report/training_status.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ascore::tools {

/// A picture of a run's samples folder.
struct RunPicture {
  int64_t step = 0;
  std::string kind;  ///< "cas-plain"; empty: a preview
  std::filesystem::path file;
};

/// The grids that `ascore report --draw` adds, in the order in which they are shown: file names' ends and captions.
struct GridKind {
  const char *kind, *caption;
};
inline constexpr GridKind kGridKinds[] = {{"cas-plain", "consistent, plain"},
                                          {"cas-denoised", "consistent, denoised"},
                                          {"als-plain", "annealed Langevin, plain"},
                                          {"als-denoised", "annealed Langevin, denoised"}};
/// RUN/samples/step-000500-cas-plain.png
std::filesystem::path grid_file(const std::filesystem::path& run, int64_t step, const std::string& kind);

/// What a run folder tells of its training.
struct RunRecord {
  std::string name;  ///< of the folder
  Recipe recipe;
  std::vector<std::map<std::string, double>> lines;  ///< metrics.jsonl
  std::vector<RunPicture> previews;                  ///< by step
  std::vector<RunPicture> grids;                     ///< of the last step that has any, in the order of kGridKinds
  std::optional<TrainingStatus> end;

  /// The last step that metrics.jsonl tells of; 0: none.
  int64_t last_step() const;
};

/// Reads recipe.toml, metrics.jsonl, the names in samples, and end.json where there is one. Throws DataError: no run,
/// nothing trained in it, or a damaged file; ConfigError for a recipe of another version.
RunRecord read_run(const std::filesystem::path& run);

}  // namespace ascore::tools
