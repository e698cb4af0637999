#include "engine/data/encoded_images.hpp"
#include "engine/data/image_files.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view kTrain = "_train_lmdb", kTest = "_val_lmdb";

fs::path train_folder(const fs::path& path) {
  const fs::path folder = path.has_filename() ? path : path.parent_path();  // "a/b_train_lmdb/"
  if (folder.filename().string().ends_with(kTrain)) return folder;
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().ends_with(kTrain)) found.push_back(entry->path());
  }
  if (error) throw DataError(fmt::format("{}: cannot be read: {}", path.string(), error.message()));
  if (found.empty()) throw DataError(fmt::format("{}: holds no folder whose name ends in {}", path.string(), kTrain));
  if (found.size() > 1) {
    std::ranges::sort(found);
    throw DataError(fmt::format("{}: holds {} and {}: give data.path as one of them", path.string(),
                                found[0].filename().string(), found[1].filename().string()));
  }
  return found.front();
}

ImageSelection open_part(const fs::path& folder) {
  LmdbFile file(folder);
  std::vector<LmdbRecord> records = file.records();
  return all_images(lmdb_images(folder.string(), std::move(file), std::move(records)), folder.string());
}

}  // namespace

std::unique_ptr<Dataset> open_lsun(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: lsun needs the folder of its _train_lmdb and _val_lmdb");
  const fs::path train = train_folder(config.path);
  std::string category = train.filename().string();
  category.resize(category.size() - kTrain.size());
  const fs::path test = train.parent_path() / (category + std::string(kTest));
  ImageSelection trained_on = open_part(train);  // first: it is the folder that the recipe names
  return encoded_images(config, preparation, seed, std::move(trained_on), open_part(test), Framing::resize_crop);
}

}  // namespace ascore
