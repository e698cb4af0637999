#include "engine/io/json_lines.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <limits>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {
std::string text_of(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
}  // namespace

TEST_CASE("metric lines are JSON in the order given, and come back as numbers") {
  test::TemporaryFolder folder;
  {
    JsonLines lines(folder / "m.jsonl");
    lines.append({{"step", int64_t{1}}, {"loss", 0.1}, {"text", std::string("a\"b\n")}, {"good", true}});
    lines.append({{"step", int64_t{2}}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  }
  CHECK(text_of(folder / "m.jsonl") ==
        "{\"step\":1,\"loss\":0.1,\"text\":\"a\\\"b\\n\",\"good\":true}\n{\"step\":2,\"loss\":null}\n");
  const auto read = read_json_lines(folder / "m.jsonl");
  REQUIRE(read.size() == 2);
  CHECK(read[0] == std::map<std::string, double>{{"step", 1}, {"loss", 0.1}, {"good", 1}});
  CHECK(read[1] == std::map<std::string, double>{{"step", 2}});
}

TEST_CASE("a resumed file loses the lines that will be written again, and half of one") {
  test::TemporaryFolder folder;
  const auto path = folder / "m.jsonl";
  write_file_atomically(path, std::string_view("{\"step\":1}\n{\"note\":\"kept\"}\n{\"step\":2}\n{\"step\":3}\n{\"st"));
  { JsonLines(path, 2).append({{"step", int64_t{3}}, {"again", true}}); }
  CHECK(text_of(path) == "{\"step\":1}\n{\"note\":\"kept\"}\n{\"step\":2}\n{\"step\":3,\"again\":true}\n");
  { JsonLines again(path); }
  CHECK(read_json_lines(path).size() == 4);
}

TEST_CASE("broken lines and unwritable files are named") {
  test::TemporaryFolder folder;
  write_file_atomically(folder / "m.jsonl", std::string_view("{\"step\":1}\n[1]\n"));
  CHECK_THROWS_WITH(read_json_lines(folder / "m.jsonl"), Contains("m.jsonl:2"));
  CHECK_THROWS_AS(read_json_lines(folder / "m.jsonl"), DataError);
  CHECK_THROWS_AS(JsonLines(folder / "absent" / "m.jsonl"), DiskError);
}
