#pragma once

#include "engine/dist/communicator.hpp"
#include "kernels/core/error.hpp"
#include "tools/exit_code.hpp"

#include <functional>
#include <string>

namespace ascore::tools {

/// The end of a command that all its ranks know of: one of them says why.
class AgreedFailure : public Error {
 public:
  AgreedFailure(ExitCode code, const std::string& why, bool is_speaker)
      : Error(why), code_(code), is_speaker_(is_speaker) {}
  ExitCode code() const { return code_; }
  bool is_speaker() const { return is_speaker_; }

 private:
  ExitCode code_;
  bool is_speaker_;
};

/// Runs work() on every rank and waits for all. If it throws on any, it throws AgreedFailure on all, of which the first
/// such rank is to speak. Of one rank alone it throws what work() throws.
void together(Communicator& ranks, const std::function<void()>& work);

/// Turns an error that all ranks throw, and know that they do, into one that rank 0 speaks of.
AgreedFailure agreed(const Communicator& ranks, const std::exception& error);

/// Runs a command as one rank of its job, and leaves the job in good order: after an agreed failure together; after an
/// error of its own with one line on stderr that names the rank, and the others told. Of one rank alone it throws what
/// work() throws.
ExitCode run_as_rank(Communicator& ranks, const std::function<ExitCode()>& work);

}  // namespace ascore::tools
