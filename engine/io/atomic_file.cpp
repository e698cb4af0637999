#include "engine/io/atomic_file.hpp"

#include "kernels/core/error.hpp"

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
std::string reason(int error) {
  return std::generic_category().message(error);
}
}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += fmt::format(".{}.partial", ::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("create");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::fail(const char* what) {
  const int error = errno;
  throw DiskError(fmt::format("cannot {} {}: {}", what, path_.string(), reason(error)));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write");
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("replace");
  const int finished = std::exchange(descriptor_, -1);
  if (::close(finished) != 0) fail("close");
  // The name is on disk only when the folder is: without this a power cut may bring the old file back.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("open the folder of");
  const int result = ::fsync(descriptor), error = errno;
  ::close(descriptor);
  // Some file systems cannot sync folders and say so; that is no failure of the write.
  if (result != 0 && error != EINVAL && error != ENOTSUP) {
    errno = error;
    fail("sync the folder of");
  }
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
  errno = 0;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  struct stat status {};
  if (!in || ::stat(path.c_str(), &status) != 0) {
    throw DataError(fmt::format("cannot read {}: {}", path.string(), reason(errno ? errno : EIO)));
  }
  if (S_ISDIR(status.st_mode)) throw DataError(fmt::format("cannot read {}: it is a folder", path.string()));
  std::vector<std::byte> bytes(static_cast<size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (static_cast<size_t>(in.gcount()) != bytes.size()) {
    throw DataError(fmt::format("cannot read {}: it ended early", path.string()));
  }
  return bytes;
}

}  // namespace ascore
