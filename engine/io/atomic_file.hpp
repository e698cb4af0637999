#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace ascore {

/// Writes a file that appears whole or not at all: into a temporary neighbour (whose name does not end in the final
/// extension), then fsync, rename over `path`, fsync of the folder. Without commit() the destructor takes it back.
class AtomicFile {
 public:
  /// Throws DiskError, as every member does, with the path and the system's reason.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void fail(const char* what);
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// AtomicFile in one call.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// A whole file. Throws DataError if it cannot be read (missing, a folder, no permission).
std::vector<std::byte> read_file(const std::filesystem::path& path);

}  // namespace ascore
