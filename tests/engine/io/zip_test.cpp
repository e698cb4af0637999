#include "engine/io/zip.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstring>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {

/// An archive of two arrays, as bytes to be changed.
std::vector<std::byte> archive() {
  test::TemporaryFolder folder;
  write_npz(folder / "a.npz",
            {{"a", HostTensor::from(std::vector<float>{1, 2, 3}, {3})}, {"b", HostTensor({4}, DType::u8)}},
            NpzPacking::stored);
  return read_file(folder / "a.npz");
}

template <class T>
void put(std::vector<std::byte>& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

template <class T>
T get(const std::vector<std::byte>& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

constexpr size_t kEnd = 22;
size_t directory(const std::vector<std::byte>& bytes) {
  return get<uint32_t>(bytes, bytes.size() - kEnd + 16);
}
size_t second_entry(const std::vector<std::byte>& bytes) {
  return directory(bytes) + 46 + std::strlen("a.npy");
}

}  // namespace

TEST_CASE("a zip64 archive is read") {
  std::vector<std::byte> bytes = archive();
  const size_t end = bytes.size() - kEnd;
  std::vector<std::byte> record(56 + 20);
  put(record, 0, uint32_t{0x06064b50});
  put(record, 4, uint64_t{44});
  put(record, 24, uint64_t{2});
  put(record, 32, uint64_t{2});
  put(record, 48, uint64_t{directory(bytes)});
  put(record, 56, uint32_t{0x07064b50});
  put(record, 64, uint64_t{end});
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(end), record.begin(), record.end());
  put(bytes, bytes.size() - kEnd + 10, uint16_t{0xffff});
  put(bytes, bytes.size() - kEnd + 16, uint32_t{0xffffffff});
  CHECK(from_npz(bytes, "x").at("a") == HostTensor::from(std::vector<float>{1, 2, 3}, {3}));
  CHECK(from_npz(bytes, "x").size() == 2);
  put(bytes, end + 56 + 8, uint64_t{~uint64_t{0}});
  CHECK_THROWS_WITH(from_npz(bytes, "x"), Contains("truncated or damaged"));
}

TEST_CASE("zip64 sizes of a member are read, and their absence noticed") {
  std::vector<std::byte> bytes = archive();
  const size_t entry = second_entry(bytes);
  const uint64_t size = get<uint32_t>(bytes, entry + 24);
  std::vector<std::byte> field(4 + 16);
  put(field, 0, uint16_t{1});
  put(field, 2, uint16_t{16});
  put(field, 4, size);
  put(field, 12, size);
  put(bytes, entry + 20, uint32_t{0xffffffff});
  put(bytes, entry + 24, uint32_t{0xffffffff});
  std::vector<std::byte> without = bytes;
  put(bytes, entry + 30, uint16_t{20});
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(entry + 46 + 5), field.begin(), field.end());
  CHECK(from_npz(bytes, "x").at("b") == HostTensor({4}, DType::u8));
  put(bytes, entry + 46 + 5 + 2, uint16_t{8});
  CHECK_THROWS_AS(from_npz(bytes, "x"), DataError);
  CHECK_THROWS_WITH(from_npz(without, "x"), Contains("truncated or damaged"));
}

TEST_CASE("broken zip archives are refused with a reason") {
  const std::vector<std::byte> whole = archive();
  const auto [offset, value, reason] = GENERATE_COPY(table<size_t, uint32_t, std::string>({
      {second_entry(whole), 0u, "damaged zip directory"},
      {second_entry(whole) + 8, 0x801u, "encrypted"},
      {second_entry(whole) + 10, 12u, "unknown method"},
      {second_entry(whole) + 16, 7u, "CRC-32"},
      {second_entry(whole) + 24, 5u, "unknown method"},
      {second_entry(whole) + 42, 4u, "not where it should be"},
      {second_entry(whole) + 42, 0u, "overlap"},
      {second_entry(whole) + 42, 0xfffffff0u, "truncated or damaged"},
      {whole.size() - kEnd + 16, 0xfffffff0u, "truncated or damaged"},
      {whole.size() - kEnd, 0u, "not a zip file"},
  }));
  CAPTURE(offset, value);
  std::vector<std::byte> bytes = whole;
  put(bytes, offset, value);
  CHECK_THROWS_AS(from_npz(bytes, "some.npz"), DataError);
  CHECK_THROWS_WITH(from_npz(bytes, "some.npz"), Contains("some.npz: ") && Contains(reason));
}

TEST_CASE("two members of one name are refused") {
  std::vector<std::byte> bytes = archive();
  put(bytes, second_entry(bytes) + 46, 'a');
  CHECK_THROWS_WITH(from_npz(bytes, "x"), Contains("two entries a.npy"));
}
