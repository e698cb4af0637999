#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ascore {

/// This build reads LMDB files (liblmdb was found).
extern const bool kLmdbBuilt;

/// One entry of an LMDB file; the value lies in the file and lives as long as the LmdbFile.
struct LmdbRecord {
  std::string key;
  std::span<const std::byte> value;
};

/// An LMDB environment's main database, read only and without its lock file, so that it may lie on a disk that cannot
/// be written to. Nobody may write to it meanwhile. Values may be looked at from any thread.
class LmdbFile {
 public:
  /// `path`: the folder of data.mdb. Throws DataError with the path: missing, no LMDB file, cut off; DeviceError if
  /// this build has no LMDB.
  explicit LmdbFile(const std::filesystem::path& path);
  ~LmdbFile();
  LmdbFile(LmdbFile&&) noexcept;
  LmdbFile& operator=(LmdbFile&&) noexcept;

  /// All entries, by ascending key. Throws DataError.
  std::vector<LmdbRecord> records() const;
  /// The value of one key; nothing if there is none. By one thread at a time. Throws DataError.
  std::optional<std::span<const std::byte>> find(std::string_view key) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ascore
