#pragma once

#include "tools/report.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace ascore::tools {

/// How samples came about.
struct SampleFacts {
  bool denoised = true;
  bool ema = true;   ///< drawn from the moving average of the parameters
  int64_t step = 0;  ///< of the checkpoint
};

/// Writes samples.json into a folder of samples: facts of samples.npz, which is denoised, and of samples_plain.npz.
void write_sample_facts(const std::filesystem::path& folder, bool ema, int64_t step);

/// What the samples.json beside says of a folder's samples.npz, or of a file; nothing where there is none or it does
/// not mention the file. Throws DataError for a samples.json that is not of this form.
std::optional<SampleFacts> read_sample_facts(const std::filesystem::path& samples);

void report_facts(Report& report, const SampleFacts& facts);

}  // namespace ascore::tools
