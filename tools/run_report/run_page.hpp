#pragma once

#include "tools/run_report/run_record.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace ascore::tools {

/// A run as one HTML page: state, curves, pictures over time, settings. `now`: of a training under way. Pictures are
/// read here. Throws DataError.
std::string run_page(const RunRecord& record, const std::optional<TrainingStatus>& now = std::nullopt);

/// Writes RUN/report.html, atomically, from what the folder holds. Throws as read_run and run_page; DiskError.
void write_run_page(const std::filesystem::path& run, const std::optional<TrainingStatus>& now = std::nullopt);

inline constexpr const char* kPageFile = "report.html";

}  // namespace ascore::tools
