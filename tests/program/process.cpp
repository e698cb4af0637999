#include "tests/program/process.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace ascore::test {

size_t Finished::error_lines() const {
  return static_cast<size_t>(std::count(err.begin(), err.end(), '\n'));
}

Finished ascore(const std::vector<std::string>& arguments, const std::function<void(pid_t)>& while_running) {
  const Folder folder;  // output goes through files: a pipe could fill up while nobody reads
  const std::string out = folder / "out", err = folder / "err";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::string> words{ASCORE_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const auto begin = std::chrono::steady_clock::now();
  pid_t process = 0;
  REQUIRE(posix_spawn(&process, ASCORE_PROGRAM, &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  if (while_running) while_running(process);
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  Finished finished;
  finished.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  finished.out = contents(out);
  finished.err = contents(err);
  return finished;
}

void check_refused(const Finished& done, int code, const std::string& culprit) {
  INFO(done.err);
  CHECK(done.code == code);
  CHECK(done.out.empty());
  CHECK(done.error_lines() == 1);
  CHECK(done.err.find("ascore: ") == 0);
  CHECK(done.err.find(culprit) != std::string::npos);
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ascore-test-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  INFO(file);
  REQUIRE(stream.good());
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace ascore::test
