#include "engine/io/mapped_file.hpp"

#include "kernels/core/error.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ascore {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto fail = [&](int error) {
    throw DataError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(error)));
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(errno);
  struct stat status {};
  void* data = MAP_FAILED;
  int error = fstat(descriptor, &status) ? errno : 0;
  if (!error && !S_ISREG(status.st_mode)) error = EINVAL;
  if (!error && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    data = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) error = errno;
  }
  close(descriptor);
  if (error) fail(error);
  if (size_ > 0) data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace ascore
