#include "engine/io/atomic_file.hpp"

#include "engine/io/descriptor.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr size_t kGathered = size_t{1} << 20;
constexpr const char* kPartial = ".partial";

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// The name is on disk only when the folder is: without this a power cut may bring the old file back.
void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) disk_failure("open the folder of", path);
  const int result = ::fsync(descriptor), error = errno;
  ::close(descriptor);
  // Some file systems cannot sync folders and say so; that is no failure of the write.
  if (result != 0 && error != EINVAL && error != ENOTSUP) {
    errno = error;
    disk_failure("sync the folder of", path);
  }
}

/// NAME.PROCESS.partial
bool is_partial(const std::filesystem::path& file) {
  const std::string process = file.stem().extension().string();
  return file.extension() == kPartial && process.size() > 1 &&
         process.find_first_not_of("0123456789", 1) == std::string::npos;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += fmt::format(".{}{}", ::getpid(), kPartial);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) disk_failure("create", path_);
  temporary_exists_ = true;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_exists_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (gathered_.size() + bytes.size() <= kGathered) {
    gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
    return;
  }
  write_fully(descriptor_, gathered_, path_);
  gathered_.clear();
  write_fully(descriptor_, bytes, path_);
}

void AtomicFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) disk_failure("write", path_);
}

void AtomicFile::commit() {
  write_fully(descriptor_, gathered_, path_);
  if (::fsync(descriptor_) != 0) disk_failure("write", path_);
  close();  // before the rename: network file systems report what they could not store as late as here
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) disk_failure("replace", path_);
  temporary_exists_ = false;
  sync_folder_of(path_);
}

void remove_partial_files(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (is_partial(entries->path())) std::filesystem::remove(entries->path(), error);
    if (error) break;
  }
  if (error) throw DiskError(fmt::format("cannot tidy up {}: {}", folder.string(), error.message()));
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& why) {
    throw DataError(fmt::format("cannot read {}: {}", path.string(), why));
  };
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  struct stat status {};
  if (!in || ::stat(path.c_str(), &status) != 0) fail(reason(errno ? errno : EIO));
  if (S_ISDIR(status.st_mode)) fail("it is a folder");
  // A pipe has no size to be asked for: one byte more than is expected is asked for, again and again, until the end.
  std::vector<std::byte> bytes;
  size_t wanted = S_ISREG(status.st_mode) ? static_cast<size_t>(status.st_size) + 1 : kGathered, size = 0;
  while (in) {
    bytes.resize(size + wanted);
    in.read(reinterpret_cast<char*>(bytes.data() + size), static_cast<std::streamsize>(wanted));
    size += static_cast<size_t>(in.gcount());
    wanted = std::max(kGathered, size);
  }
  if (in.bad()) fail(reason(errno ? errno : EIO));
  if (S_ISREG(status.st_mode) && size < static_cast<size_t>(status.st_size)) fail("it ended early");
  bytes.resize(size);
  return bytes;
}

}  // namespace ascore
