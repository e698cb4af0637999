#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ascore::test {

/// Processes that a test starts, each in a group of its own, and a folder in which they leave word. Whatever still runs
/// is killed with the object.
class Job {
 public:
  Job();
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  /// Starts a program; its output goes to FOLDER/output.
  void start(const std::vector<std::string>& words);
  /// Starts rank_program `size` times, with a rendezvous by a file of the folder.
  void start_ranks(int size, const std::string& mode, const std::vector<std::string>& more = {});
  /// Starts rank_program under mpirun.
  void start_mpirun(int size, const std::string& mode, const std::vector<std::string>& more = {});

  /// Sends a signal to the rank that has left its process id.
  void signal_rank(int rank, int signal);
  /// Waits until all `size` ranks have left their process ids.
  void wait_for_ranks(int size);
  /// The exit code of process i in order of start (128 + signal if one ended it); -1 if it runs for longer than that.
  int wait(size_t i, double seconds);
  /// Ranks whose processes still exist.
  std::vector<int> left_over(int size) const;
  /// The text of a file in the folder; empty if there is none.
  std::string text(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  std::vector<pid_t> processes_;
  std::vector<int> codes_;
};

}  // namespace ascore::test
