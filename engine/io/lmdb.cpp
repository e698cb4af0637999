#include "engine/io/lmdb.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

#ifdef ASCORE_HAS_LMDB

#include <lmdb.h>

namespace ascore {

const bool kLmdbBuilt = true;

struct LmdbFile::State {
  std::string path;
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;  ///< one for all reads: what it sees stays where it is
  MDB_dbi database = 0;

  ~State() {
    if (transaction) mdb_txn_abort(transaction);
    if (environment) mdb_env_close(environment);
  }
  void check(int status) const {
    if (status != MDB_SUCCESS) throw DataError(fmt::format("{}: {}", path, mdb_strerror(status)));
  }
};

namespace {

std::span<const std::byte> bytes_of(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

/// A page beyond the end of the file would be a bus error where it is looked at.
void check_length(MDB_env* environment, const std::filesystem::path& file) {
  MDB_envinfo info;
  MDB_stat stat;
  mdb_env_info(environment, &info);
  mdb_env_stat(environment, &stat);
  const uint64_t wanted = (static_cast<uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize;
  const uint64_t size = std::filesystem::file_size(file);
  if (size < wanted) throw DataError(fmt::format("{}: is cut off: {} bytes of {}", file.string(), size, wanted));
}

}  // namespace

LmdbFile::LmdbFile(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  state_->path = path.string();
  const std::filesystem::path file = path / "data.mdb";
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw DataError(fmt::format("{}: no such file; an LMDB folder holds one", file.string()));
  }
  state_->check(mdb_env_create(&state_->environment));
  constexpr unsigned kFlags = MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD;
  state_->check(mdb_env_open(state_->environment, path.c_str(), kFlags, 0));
  check_length(state_->environment, file);
  state_->check(mdb_txn_begin(state_->environment, nullptr, MDB_RDONLY, &state_->transaction));
  state_->check(mdb_dbi_open(state_->transaction, nullptr, 0, &state_->database));
}

std::vector<LmdbRecord> LmdbFile::records() const {
  MDB_cursor* cursor = nullptr;
  state_->check(mdb_cursor_open(state_->transaction, state_->database, &cursor));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> closed(cursor, mdb_cursor_close);
  std::vector<LmdbRecord> records;
  MDB_val key, value;
  int status = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
  for (; status == MDB_SUCCESS; status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    records.push_back({{static_cast<const char*>(key.mv_data), key.mv_size}, bytes_of(value)});
  }
  if (status != MDB_NOTFOUND) state_->check(status);
  return records;
}

std::optional<std::span<const std::byte>> LmdbFile::find(std::string_view key) const {
  MDB_val wanted{key.size(), const_cast<char*>(key.data())}, value;
  const int status = mdb_get(state_->transaction, state_->database, &wanted, &value);
  if (status == MDB_NOTFOUND) return std::nullopt;
  state_->check(status);
  return bytes_of(value);
}

}  // namespace ascore

#else

namespace ascore {

const bool kLmdbBuilt = false;

struct LmdbFile::State {};

LmdbFile::LmdbFile(const std::filesystem::path& path) {
  throw DeviceError(
      fmt::format("{}: is LMDB, which this build has not; install liblmdb-dev, build again", path.string()));
}

std::vector<LmdbRecord> LmdbFile::records() const {
  return {};
}

std::optional<std::span<const std::byte>> LmdbFile::find(std::string_view) const {
  return std::nullopt;
}

}  // namespace ascore

#endif

namespace ascore {

LmdbFile::~LmdbFile() = default;
LmdbFile::LmdbFile(LmdbFile&&) noexcept = default;
LmdbFile& LmdbFile::operator=(LmdbFile&&) noexcept = default;

}  // namespace ascore
