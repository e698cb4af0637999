#include "tools/output_folder.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <ranges>
#include <set>
#include <span>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStaging = ".ascore.partial";
constexpr const char* kAside = ".aside";               ///< what waits for its place in an exchange by three renames
constexpr const char* kKept = ".ascore.not-replaced";  ///< old entries that could not be put back

/// Calls body(); errors of the file system become DiskErrors that name the option.
template <class Body>
void on_disk(const fs::path& folder, Body body) {
  try {
    body();
  } catch (const fs::filesystem_error& error) {
    throw DiskError(fmt::format("--out {}: {}", folder.string(), error.code().message()));
  }
}

bool is_there(const fs::path& path) {
  return fs::symlink_status(path).type() != fs::file_type::not_found;
}

/// What stands at two paths changes places; at either there may be nothing. Its own inverse.
void change_places(const fs::path& fresh, const fs::path& target) {
  const bool two = is_there(fresh) && is_there(target);
  if (!two) {
    if (is_there(fresh))
      fs::rename(fresh, target);
    else if (is_there(target))
      fs::rename(target, fresh);
    return;
  }
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
  const int error = errno;
  if (error != EINVAL && error != ENOSYS && error != ENOTSUP) {
    throw fs::filesystem_error("exchange", fresh, target, std::error_code(error, std::generic_category()));
  }
  const fs::path aside = fresh.string() + kAside;  // a file system that cannot exchange (NFS)
  const std::array<std::pair<fs::path, fs::path>, 3> moves{{{target, aside}, {fresh, target}, {aside, fresh}}};
  size_t done = 0;
  try {
    for (const auto& [from, to] : moves) {
      fs::rename(from, to);
      ++done;
    }
  } catch (...) {
    for (const auto& [from, to] : std::span(moves).first(done) | std::views::reverse) fs::rename(to, from);
    throw;
  }
}

}  // namespace

const OutputKind& run_output() {
  // A kill between the first two leaves the new recipe beside the old checkpoints, which carry their own: --resume then
  // refuses and names --overwrite, sampling works, and the same --overwrite repairs it. A later kill leaves the new run
  // at step 0.
  static const OutputKind kind{"run",
                               "recipe.toml",
                               {"recipe.toml", "checkpoints", "metrics.jsonl", "events.out.tfevents.*.ascore",
                                "samples", "end.json", "report.html"}};
  return kind;
}

const OutputKind& samples_output() {
  static const OutputKind kind{
      "set of samples",
      "samples.npz",
      {"samples.npz", "samples_plain.npz", "samples.json", "grid.png", "grid_plain.png", "images"}};
  return kind;
}

OutputFolder::OutputFolder(const fs::path& folder, const OutputKind& kind, IfExists if_exists)
    : folder_(folder), staging_(folder / kStaging), kind_(kind) {
  on_disk(folder_, [&] {
    try {
      make();
      lock();
      put_back();
      check(if_exists);
      fs::remove_all(staging_);
    } catch (...) {
      take_back();
      throw;
    }
  });
}

void OutputFolder::recover(const fs::path& folder, const OutputKind& kind) {
  if (is_there(folder / kStaging)) const OutputFolder repaired(folder, kind, IfExists::keep);
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (incomplete_)
    fs::rename(staging_, folder_ / kKept, ignored);
  else
    fs::remove_all(staging_, ignored);
  take_back();
}

std::vector<std::string> OutputFolder::entries() const {
  std::vector<std::string> all;
  for (const std::string& entry : kind_.entries) {
    const size_t star = entry.find('*');
    if (star == std::string::npos) {
      all.push_back(entry);
      continue;
    }
    std::set<std::string> names;
    for (const fs::path& place : {folder_, staging_}) {
      if (!is_there(place)) continue;
      for (const auto& file : fs::directory_iterator(place)) {
        const std::string name = file.path().filename().string();
        if (name.starts_with(entry.substr(0, star)) && name.ends_with(entry.substr(star + 1))) names.insert(name);
      }
    }
    all.insert(all.end(), names.begin(), names.end());
  }
  return all;
}

void OutputFolder::put_back() {
  for (const std::string& entry : kind_.entries) {
    const fs::path aside = staging_ / (entry + kAside);
    if (is_there(aside) && !is_there(folder_ / entry)) fs::rename(aside, folder_ / entry);
  }
}

void OutputFolder::take_back() noexcept {
  std::error_code not_empty;
  for (const fs::path& made : made_ | std::views::reverse) fs::remove(made, not_empty);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFolder::make() {
  if (folder_.empty()) throw ConfigError("--out: is empty; name a folder");
  if (fs::exists(folder_) && !fs::is_directory(folder_)) {
    throw ConfigError(fmt::format("--out {}: is a file; name a folder", folder_.string()));
  }
  for (fs::path path = fs::absolute(folder_).lexically_normal(); !fs::exists(path); path = path.parent_path()) {
    if (path.has_filename()) made_.insert(made_.begin(), path);  // not for the end of "runs/"
  }
  fs::create_directories(folder_);
}

void OutputFolder::lock() {
  descriptor_ = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) throw fs::filesystem_error("open", folder_, std::error_code(errno, std::generic_category()));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;  // some file systems have no locks
  throw ConfigError(fmt::format("--out {}: another process is writing to it; wait for its end", folder_.string()));
}

void OutputFolder::check(IfExists if_exists) const {
  const auto is_foreign = [](const fs::directory_entry& entry) { return entry.path().filename() != kStaging; };
  const fs::directory_iterator entries(folder_);
  if (std::none_of(begin(entries), end(entries), is_foreign)) return;
  const std::string name = folder_.string();
  if (if_exists == IfExists::refuse) {
    const char* resume = kind_.mark == "recipe.toml" ? "--resume to go on, " : "";
    throw ConfigError(fmt::format("--out {}: exists and is not empty; give {}--overwrite to replace it", name, resume));
  }
  if (!fs::is_regular_file(folder_ / kind_.mark)) {
    throw ConfigError(fmt::format("--out {}: is not a {} (it has no {}); nothing was changed, name another folder",
                                  name, kind_.what, kind_.mark));
  }
}

fs::path OutputFolder::staging() {
  on_disk(folder_, [&] { fs::create_directories(staging_); });
  return staging_;
}

void OutputFolder::commit() {
  on_disk(folder_, [&] {
    const std::vector<std::string> all = entries();
    std::vector<std::string> done;
    try {
      for (const std::string& entry : all) {
        change_places(staging_ / entry, folder_ / entry);
        done.push_back(entry);
      }
    } catch (...) {
      incomplete_ = true;
      put_back();
      for (const std::string& entry : done | std::views::reverse) change_places(staging_ / entry, folder_ / entry);
      const auto waits = [&](const std::string& entry) { return is_there(staging_ / (entry + kAside)); };
      incomplete_ = std::ranges::any_of(all, waits);
      throw;
    }
    made_.clear();
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) {
      throw fs::filesystem_error("sync", folder_, std::error_code(errno, std::generic_category()));
    }
    fs::remove_all(staging_);  // with what was replaced
  });
}

}  // namespace ascore::tools
