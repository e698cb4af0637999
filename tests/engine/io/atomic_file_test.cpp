#include "engine/io/atomic_file.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fstream>
#include <sys/stat.h>
#include <thread>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {
std::vector<std::string> listing(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}
}  // namespace

TEST_CASE("an atomic file appears at commit, under a temporary name before") {
  test::TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  write_file_atomically(path, std::string_view("old"));
  AtomicFile file(path);
  file.write(std::as_bytes(std::span("new", 3)));
  CHECK(read_file(path).size() == 3);
  CHECK(static_cast<char>(read_file(path)[0]) == 'o');
  for (const std::string& name : listing(folder.path())) {
    if (name != "a.safetensors") CHECK_FALSE(name.ends_with(".safetensors"));
  }
  file.commit();
  CHECK(static_cast<char>(read_file(path)[0]) == 'n');
  CHECK(listing(folder.path()) == std::vector<std::string>{"a.safetensors"});
}

TEST_CASE("an atomic file that is not committed leaves nothing behind") {
  test::TemporaryFolder folder;
  { AtomicFile(folder / "a").write(std::as_bytes(std::span("x", 1))); }
  CHECK(listing(folder.path()).empty());
}

TEST_CASE("a pipe is read to its end, however it is cut into pieces") {
  test::TemporaryFolder folder;
  const auto path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const size_t size = GENERATE(0, 1, 3'000'001);
  std::thread writer([&] {
    std::ofstream pipe(path, std::ios::binary);
    for (size_t i = 0; i < size; ++i) pipe.put(static_cast<char>(i % 251));
  });
  const std::vector<std::byte> bytes = read_file(path);
  writer.join();
  REQUIRE(bytes.size() == size);
  size_t equal = 0;
  for (size_t i = 0; i < size; ++i) equal += static_cast<size_t>(bytes[i]) == i % 251;
  CHECK(equal == size);
}

TEST_CASE("failures of the disk name the path and the reason") {
  test::TemporaryFolder folder;
  const auto path = folder / "absent" / "a";
  CHECK_THROWS_AS(write_file_atomically(path, std::string_view("x")), DiskError);
  CHECK_THROWS_WITH(write_file_atomically(path, std::string_view("x")),
                    Contains(path.string()) && Contains("No such file"));
  std::filesystem::create_directory(folder / "folder");
  CHECK_THROWS_AS(write_file_atomically(folder / "folder", std::string_view("x")), DiskError);
  CHECK_THROWS_AS(read_file(path), DataError);
  CHECK_THROWS_WITH(read_file(folder.path()), Contains("folder"));
}
