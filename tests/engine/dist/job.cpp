#include "tests/engine/dist/job.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ascore::test {

namespace {

template <class Condition>
bool within(double seconds, Condition holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace

Job::Job() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ascore-job-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
}

Job::~Job() {
  for (size_t i = 0; i < processes_.size(); ++i) {
    if (codes_[i] >= 0) continue;
    kill(-processes_[i], SIGKILL);
    waitpid(processes_[i], nullptr, 0);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().stem() != "pid") continue;
    const int process = std::atoi(text(entry.path().filename()).c_str());  // of an mpirun that was killed
    const std::string program = "/proc/" + std::to_string(process) + "/exe";
    std::error_code gone;
    if (process > 1 && std::filesystem::read_symlink(program, gone) == ASCORE_RANK_PROGRAM) kill(process, SIGKILL);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Job::start(const std::vector<std::string>& words) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (folder_ / "output").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t process = 0;
  REQUIRE(posix_spawnp(&process, argv[0], &actions, &attributes, argv.data(), environ) == 0);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  processes_.push_back(process);
  codes_.push_back(-1);
}

void Job::start_ranks(int size, const std::string& mode, const std::vector<std::string>& more) {
  for (int rank = 0; rank < size; ++rank) {
    std::vector<std::string> words{ASCORE_RANK_PROGRAM,
                                   mode,
                                   folder_.string(),
                                   "--rank",
                                   std::to_string(rank),
                                   "--world-size",
                                   std::to_string(size),
                                   "--rendezvous",
                                   "file:" + (folder_ / "meeting").string()};
    words.insert(words.end(), more.begin(), more.end());
    start(words);
  }
}

void Job::start_mpirun(int size, const std::string& mode, const std::vector<std::string>& more) {
  std::vector<std::string> words{"mpirun", "--allow-run-as-root", "--oversubscribe",
                                 "-n",     std::to_string(size),  ASCORE_RANK_PROGRAM,
                                 mode,     folder_.string()};
  words.insert(words.end(), more.begin(), more.end());
  start(words);
}

void Job::signal_rank(int rank, int signal) {
  const int process = std::atoi(text("pid." + std::to_string(rank)).c_str());
  REQUIRE(process > 1);
  REQUIRE(kill(process, signal) == 0);
}

void Job::wait_for_ranks(int size) {
  const bool all = within(30, [&] {
    for (int rank = 0; rank < size; ++rank) {
      if (text("pid." + std::to_string(rank)).empty()) return false;
    }
    return true;
  });
  INFO(text("output"));
  REQUIRE(all);
}

int Job::wait(size_t i, double seconds) {
  within(seconds, [&] {
    int status = 0;
    if (codes_[i] < 0 && waitpid(processes_[i], &status, WNOHANG) == processes_[i]) {
      codes_[i] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return codes_[i] >= 0;
  });
  return codes_[i];
}

std::vector<int> Job::left_over(int size) const {
  std::vector<int> ranks;
  for (int rank = 0; rank < size; ++rank) {
    const int process = std::atoi(text("pid." + std::to_string(rank)).c_str());
    if (process > 1 && !within(5, [process] { return kill(process, 0) != 0; })) ranks.push_back(rank);
  }
  return ranks;
}

std::string Job::text(const std::string& name) const {
  std::ifstream stream(folder_ / name);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace ascore::test
