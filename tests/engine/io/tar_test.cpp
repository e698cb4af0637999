#include "engine/io/tar.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/tar.hpp"

#include <algorithm>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {
std::vector<TarMember> read(const std::string& archive) {
  return tar_members(std::as_bytes(std::span(archive)), "some.tar");
}
std::string contents(const TarMember& member) {
  return {reinterpret_cast<const char*>(member.bytes.data()), member.bytes.size()};
}
const std::string kEnd(1024, '\0');
}  // namespace

TEST_CASE("the regular files of a tar archive are found") {
  const std::string long_text(1000, 'x');
  const std::string archive = test::tar_member("d/", "", '5') + test::tar_member("d/a", "hello") +
                              test::tar_member("pax", "20 mtime=1\n", 'x') + test::tar_member("old", "", '\0') +
                              test::tar_member("link", "", '2') + test::tar_member("d/b", long_text) + kEnd;
  const auto members = read(archive);
  REQUIRE(members.size() == 3);
  CHECK(members[0].name == "d/a");
  CHECK(contents(members[0]) == "hello");
  CHECK(members[1].name == "old");
  CHECK(members[2].name == "d/b");
  CHECK(contents(members[2]) == long_text);
  CHECK(read(kEnd).empty());
}

TEST_CASE("a ustar prefix stands before the name") {
  std::string header = test::tar_member("a", "hello");
  std::ranges::copy(std::string_view("far/away"), header.begin() + 345);
  test::set_tar_checksum(header);
  CHECK(read(header + kEnd).at(0).name == "far/away/a");
}

TEST_CASE("broken tar archives are refused") {
  const std::string whole = test::tar_member("a", "hello") + test::tar_member("b", "world") + kEnd;
  CHECK_THROWS_WITH(read(""), Contains("some.tar: ") && Contains("no end"));
  CHECK_THROWS_WITH(read(std::string(512, 'x') + kEnd), Contains("not a tar archive"));
  for (size_t size = 0; size < whole.size() - 512; size += 100) {
    CHECK_THROWS_AS(read(whole.substr(0, size)), DataError);
  }
  std::string changed = whole;
  changed[1024] = 'c';  // the second name, not its checksum
  CHECK_THROWS_WITH(read(changed), Contains("damaged tar header at byte 1024"));
  changed = whole;
  changed[124] = 'z';  // the first size
  test::set_tar_checksum(changed);
  CHECK_THROWS_WITH(read(changed), Contains("no readable size"));
  std::ranges::copy(std::string_view("77777777777"), changed.begin() + 124);
  test::set_tar_checksum(changed);
  CHECK_THROWS_WITH(read(changed), Contains("cut off"));
}
