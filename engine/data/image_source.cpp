#include "engine/data/image_source.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/mapped_file.hpp"
#include "engine/io/zip.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

namespace ascore {

namespace {

namespace fs = std::filesystem;

class Files final : public ImageSource {
 public:
  Files(fs::path folder, std::vector<std::string> names) : folder_(std::move(folder)), names_(std::move(names)) {}
  int64_t size() const override { return static_cast<int64_t>(names_.size()); }
  std::string name(int64_t index) const override { return path(index).string(); }
  std::vector<std::byte> read(int64_t index) const override { return read_file(path(index)); }

 private:
  fs::path path(int64_t index) const { return folder_ / names_.at(static_cast<size_t>(index)); }
  fs::path folder_;
  std::vector<std::string> names_;
};

/// An entry that says it unpacks to more is refused before memory is taken.
constexpr uint64_t kMostUnpacked = uint64_t{1} << 30;

class Archive final : public ImageSource {
 public:
  explicit Archive(const fs::path& path) : path_(path.string()), file_(path) {
    members_ = zip_members(file_.bytes(), path_);
    for (const ZipMember& member : members_) check_inside(member.name);
    std::erase_if(members_, [](const ZipMember& member) { return !is_image_name(member.name); });
    std::ranges::sort(members_, std::ranges::less{}, &ZipMember::name);
  }
  int64_t size() const override { return static_cast<int64_t>(members_.size()); }
  std::string name(int64_t index) const override { return fmt::format("{}: entry {}", path_, member(index).name); }
  std::vector<std::byte> read(int64_t index) const override {
    if (member(index).size > kMostUnpacked) throw DataError(fmt::format("{} is above 1 GiB", name(index)));
    return unpack(member(index), path_);
  }

 private:
  const ZipMember& member(int64_t index) const { return members_.at(static_cast<size_t>(index)); }

  /// Nothing is unpacked to disk here, but an archive with such a name was made to do harm.
  void check_inside(const std::string& name) const {
    std::string slashes = name;
    std::ranges::replace(slashes, '\\', '/');
    const bool drive = slashes.size() >= 2 && slashes[1] == ':';
    const bool climbs = ('/' + slashes + '/').find("/../") != std::string::npos;
    if (drive || climbs || slashes.starts_with('/')) {
      throw DataError(fmt::format("{}: entry {} lies outside of the archive: it is not read", path_, name));
    }
  }

  std::string path_;
  MappedFile file_;
  std::vector<ZipMember> members_;
};

class Database final : public ImageSource {
 public:
  Database(std::string path, LmdbFile file, std::vector<LmdbRecord> records)
      : path_(std::move(path)), file_(std::move(file)), records_(std::move(records)) {}
  int64_t size() const override { return static_cast<int64_t>(records_.size()); }
  std::string name(int64_t index) const override { return fmt::format("{}: key {}", path_, record(index).key); }
  std::vector<std::byte> read(int64_t index) const override {
    const std::span<const std::byte> value = record(index).value;
    return {value.begin(), value.end()};
  }

 private:
  const LmdbRecord& record(int64_t index) const { return records_.at(static_cast<size_t>(index)); }
  std::string path_;
  LmdbFile file_;
  std::vector<LmdbRecord> records_;
};

}  // namespace

bool is_image_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> kEndings{".png", ".jpg", ".jpeg", ".webp", ".ppm", ".pgm"};
  const std::string_view last = name.substr(name.rfind('/') + 1);
  const size_t dot = last.rfind('.');
  if (dot == 0 || dot == std::string_view::npos || last.front() == '.') return false;
  std::string ending(last.substr(dot));
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kEndings, ending) != kEndings.end();
}

std::unique_ptr<ImageSource> files_of(const std::filesystem::path& folder, std::vector<std::string> names) {
  return std::make_unique<Files>(folder, std::move(names));
}

std::unique_ptr<ImageSource> image_folder(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable) || !is_image_name(entry->path().string())) continue;
    names.push_back(entry->path().lexically_relative(folder).string());
  }
  if (error) throw DataError(fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::ranges::sort(names);
  return std::make_unique<Files>(folder, std::move(names));
}

std::unique_ptr<ImageSource> image_archive(const std::filesystem::path& archive) {
  return std::make_unique<Archive>(archive);
}

std::unique_ptr<ImageSource> lmdb_images(std::string path, LmdbFile file, std::vector<LmdbRecord> records) {
  return std::make_unique<Database>(std::move(path), std::move(file), std::move(records));
}

}  // namespace ascore
