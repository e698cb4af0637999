#include "engine/io/descriptor.hpp"

#include "kernels/core/error.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace ascore {

void disk_failure(const char* what, const std::filesystem::path& path) {
  const int error = errno;
  throw DiskError(fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(error)));
}

void write_fully(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      disk_failure("write", path);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace ascore
