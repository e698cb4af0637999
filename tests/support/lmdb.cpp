#include "tests/support/lmdb.hpp"

#include <stdexcept>

#ifdef ASCORE_HAS_LMDB
#include <lmdb.h>
#endif

namespace ascore::test {

#ifdef ASCORE_HAS_LMDB

namespace {

void check(int status) {
  if (status != MDB_SUCCESS) throw std::runtime_error(mdb_strerror(status));
}

}  // namespace

void write_lmdb(const std::filesystem::path& folder, const std::map<std::string, std::vector<std::byte>>& entries) {
  std::filesystem::create_directories(folder);
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi database = 0;
  check(mdb_env_create(&environment));
  check(mdb_env_set_mapsize(environment, size_t{16} << 20));
  check(mdb_env_open(environment, folder.c_str(), MDB_NOSYNC, 0644));
  check(mdb_txn_begin(environment, nullptr, 0, &transaction));
  check(mdb_dbi_open(transaction, nullptr, 0, &database));
  for (const auto& [name, bytes] : entries) {
    MDB_val key{name.size(), const_cast<char*>(name.data())};
    MDB_val value{bytes.size(), const_cast<std::byte*>(bytes.data())};
    check(mdb_put(transaction, database, &key, &value, 0));
  }
  check(mdb_txn_commit(transaction));
  mdb_env_close(environment);
  std::filesystem::remove(folder / "lock.mdb");
}

#else

void write_lmdb(const std::filesystem::path&, const std::map<std::string, std::vector<std::byte>>&) {
  throw std::logic_error("this build has no LMDB");
}

#endif

}  // namespace ascore::test
