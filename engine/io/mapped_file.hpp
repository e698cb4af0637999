#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace ascore {

/// A file's bytes in the address space, read from the disk where they are looked at. The file must not be made shorter
/// meanwhile.
class MappedFile {
 public:
  /// Throws DataError if it cannot be read, with the path and the system's reason.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ascore
