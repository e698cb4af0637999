#pragma once

#include "engine/io/lmdb.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ascore {

/// Image files by number, wherever they lie, not decoded. May be read from any thread.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual int64_t size() const = 0;
  /// What errors call an image: its path, archive and entry, or database and key.
  virtual std::string name(int64_t index) const = 0;
  /// The file's bytes. Throws DataError.
  virtual std::vector<std::byte> read(int64_t index) const = 0;
};

/// True for the names that images are looked for by: .png, .jpg, .jpeg, .webp, .ppm, .pgm in any case, in a file that
/// is not hidden (the last part does not begin with a dot).
bool is_image_name(std::string_view name);

/// The named files of a folder, in the order given; none is looked at before it is read.
std::unique_ptr<ImageSource> files_of(const std::filesystem::path& folder, std::vector<std::string> names);

/// All images below a folder, sorted by path. Throws DataError if it cannot be read.
std::unique_ptr<ImageSource> image_folder(const std::filesystem::path& folder);

/// All images in a zip archive, sorted by name. Throws DataError: a damaged archive, an entry whose name would lie
/// outside of a folder that it is unpacked to (absolute, or through ..).
std::unique_ptr<ImageSource> image_archive(const std::filesystem::path& archive);

/// These values of an LMDB file; `path` names it in errors.
std::unique_ptr<ImageSource> lmdb_images(std::string path, LmdbFile file, std::vector<LmdbRecord> records);

}  // namespace ascore
