#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace ascore::test {

/// A fresh folder that vanishes with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Writes a file without waiting for the disk: for tests that break a file in hundreds of ways.
void write_quickly(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace ascore::test
