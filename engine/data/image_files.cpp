#include "engine/data/image_files.hpp"

#include "kernels/core/error.hpp"

namespace ascore {

ImageSelection image_files_at(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return all_images(image_folder(path), path);
  return all_images(image_archive(path), path);
}

std::unique_ptr<Dataset> open_image_files(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: folder needs a folder of images, or a .zip file");
  return encoded_images(config, preparation, seed, image_files_at(config.path), Framing::resize_crop);
}

}  // namespace ascore
