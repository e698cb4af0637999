#include "kernels/core/device.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace ascore;
using test::Finished;

namespace {

/// A failure is one line on stderr, nothing on stdout, and a code.
}  // namespace

TEST_CASE("--version and --help say so on stdout and exit 0", "[program]") {
  const Finished version = test::ascore({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.find("ascore ") == 0);
  CHECK(version.err.empty());
  const Finished help = test::ascore({"--help"});
  CHECK(help.code == 0);
  CHECK(help.out.find("info") != std::string::npos);
  CHECK(test::ascore({"info", "--help"}).code == 0);
}

TEST_CASE("usage errors are one line and exit 2", "[program]") {
  test::check_refused(test::ascore({}), 2, "subcommand");
  test::check_refused(test::ascore({"fly"}), 2, "fly");
  test::check_refused(test::ascore({"info", "--no-such-option"}), 2, "--no-such-option");
  test::check_refused(test::ascore({"info", "digits", "--set", "score.widht=3"}), 2, "did you mean score.width?");
}

TEST_CASE("info describes the build, the machine and recipes", "[program]") {
  const Finished build = test::ascore({"info", "--json"});
  CHECK(build.code == 0);
  CHECK(build.out.find("\"cpu\": \"available\"") != std::string::npos);
  const Finished recipe = test::ascore({"info", "digits"});
  CHECK(recipe.code == 0);
  CHECK(recipe.out.find("critic.name") != std::string::npos);
  test::check_refused(test::ascore({"info", "no-such-thing"}), 3, "no-such-thing");
}
