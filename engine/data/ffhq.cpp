#include "engine/data/encoded_images.hpp"
#include "engine/data/image_files.hpp"
#include "kernels/core/error.hpp"

#include <charconv>

#include <fmt/format.h>

namespace ascore {

namespace {

int64_t length_of(const LmdbFile& file, const std::string& path) {
  const auto value = file.find("length");
  if (!value) throw DataError(fmt::format("{}: has no key length, which tells how many images there are", path));
  const char* begin = reinterpret_cast<const char*>(value->data());
  const char* end = begin + value->size();
  int64_t length = 0;
  const auto [last, error] = std::from_chars(begin, end, length);
  if (error != std::errc() || last != end || length < 1) {
    throw DataError(fmt::format("{}: key length holds no number of images", path));
  }
  return length;
}

}  // namespace

std::unique_ptr<Dataset> open_ffhq(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: ffhq needs the folder of its data.mdb");
  LmdbFile file(config.path);
  std::vector<LmdbRecord> records;
  for (int64_t i = 0, length = length_of(file, config.path); i < length; ++i) {
    std::string key = fmt::format("{}-{:05}", config.image_size, i);
    const auto value = file.find(key);
    if (!value) {
      throw DataError(fmt::format("{}: has no key {}: image {} of {} at data.image_size = {}", config.path, key, i,
                                  length, config.image_size));
    }
    records.push_back({std::move(key), *value});
  }
  const auto source = std::shared_ptr(lmdb_images(config.path, std::move(file), std::move(records)));
  return encoded_images(config, preparation, seed, all_images(source, config.path), Framing::resize_crop);
}

}  // namespace ascore
