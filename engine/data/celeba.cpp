#include "engine/data/encoded_images.hpp"
#include "engine/data/image_files.hpp"
#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

namespace ascore {

namespace {

namespace fs = std::filesystem;
constexpr const char* kImages = "img_align_celeba";
constexpr const char* kPartition = "list_eval_partition.txt";
constexpr int kTrain = 0, kTest = 2;

struct PartitionedNames {
  std::vector<std::string> train, test;
};

/// Lines of a file name and 0 (train), 1 (validation) or 2 (test).
PartitionedNames read_partition(const fs::path& file) {
  const std::vector<std::byte> bytes = read_file(file);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  PartitionedNames names;
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string name, more;
    int part = -1;
    if (!(words >> name)) continue;  // an empty line
    if (!(words >> part) || part < kTrain || part > kTest || words >> more || name.find('/') != std::string::npos) {
      throw DataError(fmt::format("{}:{}: is not a file name and 0, 1 or 2", file.string(), number));
    }
    if (part == kTrain) names.train.push_back(std::move(name));
    if (part == kTest) names.test.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::unique_ptr<Dataset> open_celeba(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) {
    throw ConfigError(fmt::format("data.path: celeba needs the folder of {} and {}", kPartition, kImages));
  }
  const fs::path folder = config.path, partition = folder / kPartition, images = folder / kImages;
  std::error_code error;
  if (!fs::is_directory(images, error)) throw DataError(fmt::format("{}: no such folder", images.string()));
  PartitionedNames names = read_partition(partition);
  const auto part = [&](std::vector<std::string> files) {
    return all_images(files_of(images, std::move(files)), partition.string());
  };
  return encoded_images(config, preparation, seed, part(std::move(names.train)), part(std::move(names.test)),
                        Framing::crop_140_resize);
}

}  // namespace ascore
