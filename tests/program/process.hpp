#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ascore::test {

/// How a process ended and what it said.
struct Finished {
  int code = -1;  ///< exit code; 128 + signal if a signal ended it
  std::string out, err;
  double seconds = 0;
  size_t error_lines() const;
};

/// Runs `ascore` with `arguments` to its end. `while_running`, if given, is called once with the process id.
Finished ascore(const std::vector<std::string>& arguments, const std::function<void(pid_t)>& while_running = {});

/// The program refused: that exit code, nothing on stdout, and one line on stderr that names the culprit.
void check_refused(const Finished& done, int code, const std::string& culprit);

/// A folder of its own below the temporary folder, removed with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path(const std::string& name) const { return path_ / name; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// All bytes of a file; fails the test if it cannot be read.
std::string contents(const std::filesystem::path& file);

}  // namespace ascore::test
