#include "tools/run_report/run_record.hpp"

#include "engine/io/json_lines.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

namespace ascore::tools {

namespace fs = std::filesystem;

namespace {

/// "step-000500.png", "step-000500-cas-plain.png"; nothing for other names.
std::optional<RunPicture> picture_of(const fs::path& file) {
  constexpr std::string_view kBefore = "step-", kAfter = ".png";
  const std::string name = file.filename().string();
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return std::nullopt;
  const std::string middle = name.substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size());
  RunPicture picture{.step = 0, .kind = {}, .file = file};
  const auto [end, error] = std::from_chars(middle.data(), middle.data() + middle.size(), picture.step);
  if (error != std::errc() || picture.step < 0) return std::nullopt;
  const std::string rest(end, middle.data() + middle.size());
  if (rest.empty()) return picture;
  if (rest.front() != '-') return std::nullopt;
  picture.kind = rest.substr(1);
  return picture;
}

std::vector<RunPicture> pictures_in(const fs::path& samples) {
  std::vector<RunPicture> pictures;
  std::error_code error;
  for (fs::directory_iterator file(samples, error), end; !error && file != end; file.increment(error)) {
    if (auto picture = picture_of(file->path())) pictures.push_back(std::move(*picture));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw DataError(fmt::format("{}: {}", samples.string(), error.message()));
  }
  std::ranges::sort(pictures, {}, &RunPicture::step);
  return pictures;
}

std::vector<RunPicture> last_grids(const std::vector<RunPicture>& pictures) {
  std::vector<RunPicture> grids;
  int64_t last = -1;
  const auto is_kind = [](const RunPicture& picture, const GridKind& kind) { return picture.kind == kind.kind; };
  for (const RunPicture& picture : pictures) {
    for (const GridKind& kind : kGridKinds) {
      if (is_kind(picture, kind)) last = std::max(last, picture.step);
    }
  }
  for (const GridKind& kind : kGridKinds) {
    for (const RunPicture& picture : pictures) {
      if (picture.step == last && is_kind(picture, kind)) grids.push_back(picture);
    }
  }
  return grids;
}

}  // namespace

fs::path grid_file(const fs::path& run, int64_t step, const std::string& kind) {
  return run / "samples" / fmt::format("step-{:06}-{}.png", step, kind);
}

int64_t RunRecord::last_step() const {
  if (lines.empty()) return 0;
  const auto step = lines.back().find("step");
  return step == lines.back().end() ? 0 : static_cast<int64_t>(step->second);
}

RunRecord read_run(const fs::path& run) {
  std::error_code error;
  if (!fs::is_regular_file(run / "recipe.toml", error)) {
    throw DataError(fmt::format("{}: is not a run (it has no recipe.toml)", run.string()));
  }
  if (!fs::is_regular_file(run / "metrics.jsonl", error)) {
    throw DataError(fmt::format("{}: has no metrics.jsonl: nothing has been trained there", run.string()));
  }
  RunRecord record;
  const fs::path folder = fs::absolute(run, error).lexically_normal();
  record.name = (folder.has_filename() ? folder.filename() : folder.parent_path().filename()).string();
  record.recipe = load_recipe((run / "recipe.toml").string());
  record.lines = read_json_lines(run / "metrics.jsonl");
  const std::vector<RunPicture> pictures = pictures_in(run / "samples");
  std::ranges::copy_if(pictures, std::back_inserter(record.previews), [](const auto& p) { return p.kind.empty(); });
  record.grids = last_grids(pictures);
  record.end = read_end(run);
  return record;
}

}  // namespace ascore::tools
