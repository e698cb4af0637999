#pragma once

#include "tools/drawing.hpp"
#include "tools/output_folder.hpp"
#include "tools/progress.hpp"
#include "tools/sampling_options.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace ascore::tools {

/// Draws samples, once or in several parts, and counts network evaluations on stderr.
class ProgressingDraw {
 public:
  /// `parts`: how many calls of draw() are to come, of equally many evaluations.
  ProgressingDraw(bool quiet, int64_t parts);
  DrawnSamples draw(Ctx& ctx, const Recipe& recipe, const ScoreNetwork& network, const DrawRequest& request);

 private:
  ProgressDisplay display_;
  int64_t parts_, part_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

/// Writes `count` pictures u8 [H,W,C], numbered from 00000.png, into `folder`/images. Throws DiskError.
void write_pictures(const std::filesystem::path& folder, int64_t count,
                    const std::function<HostTensor(int64_t)>& picture);

/// Writes samples_plain.npz and samples.npz, and samples.json, which says how they came about. Throws DiskError.
void write_sample_arrays(const std::filesystem::path& folder, const DrawnSamples& drawn, const LoadedModel& model,
                         const SamplingOptions& options);
/// Writes a set of samples into `folder`: a picture each (images), all in grid.png and grid_plain.png, and their
/// arrays. Throws DiskError.
void write_samples(const std::filesystem::path& folder, const DrawnSamples& drawn, const LoadedModel& model,
                   const SamplingOptions& options);

/// The folder of --out, as the options say. Throws as OutputFolder.
std::unique_ptr<OutputFolder> open_samples_folder(const SamplingOptions& options);
/// All of it is there: puts it in its place and prints its samples.npz. Throws DiskError.
void finish_samples_folder(OutputFolder& output);
/// Both: `write` fills the folder in between. Throws what they throw, and write().
void make_samples_folder(const SamplingOptions& options,
                         const std::function<void(const std::filesystem::path&)>& write);

}  // namespace ascore::tools
