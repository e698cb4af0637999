#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace ascore {

/// Writes a file that appears whole or not at all: into a temporary neighbour (NAME.PROCESS.partial, so that its name
/// does not end in the final extension), then fsync, rename over `path`, fsync of the folder. Without commit() the
/// destructor takes it back; what a killed process left is found by remove_partial_files(). Small pieces are gathered
/// before they go to the system.
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
  void close();
  std::filesystem::path path_, temporary_;
  std::vector<std::byte> gathered_;
  int descriptor_ = -1;
  bool temporary_exists_ = false;
};

/// AtomicFile in one call.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Removes what AtomicFiles of processes that were killed have left in `folder` (not below it); a folder that does not
/// exist has nothing. Only for a folder that nobody else writes to. Throws DiskError.
void remove_partial_files(const std::filesystem::path& folder);

/// A whole file, or all that a pipe gives. Throws DataError if it cannot be read (missing, a folder, no permission).
std::vector<std::byte> read_file(const std::filesystem::path& path);

}  // namespace ascore
