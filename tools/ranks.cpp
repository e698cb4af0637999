#include "tools/ranks.hpp"

#include "engine/dist/peer_lost.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

/// What a rank tells the others of its error: one digit or more, a blank, and the line that it would print.
std::string told(const std::exception& error) {
  return fmt::format("{} {}", static_cast<int>(exit_code(error)), one_line(error));
}

void say(const Communicator& ranks, const std::string& what) {
  fmt::print(stderr, "ascore: rank {}: {}\n", ranks.rank(), what);
}

/// The last words of a rank: what goes wrong with them changes nothing any more.
void finish(Communicator& ranks) {
  try {
    ranks.finish();
  } catch (const PeerLostError&) {
    return;
  }
}

}  // namespace

void together(Communicator& ranks, const std::function<void()>& work) {
  if (ranks.size() == 1) return work();
  std::string mine;
  try {
    work();
  } catch (const PeerLostError&) {
    throw;
  } catch (const std::exception& error) {
    mine = told(error);
  }
  const std::vector<std::string> all = ranks.exchange(mine);
  const auto failed = std::ranges::find_if(all, [](const std::string& words) { return !words.empty(); });
  if (failed == all.end()) return;
  const size_t blank = failed->find(' ');
  throw AgreedFailure(static_cast<ExitCode>(std::stoi(failed->substr(0, blank))), failed->substr(blank + 1),
                      failed - all.begin() == ranks.rank());
}

AgreedFailure agreed(const Communicator& ranks, const std::exception& error) {
  return {exit_code(error), one_line(error), ranks.is_root()};
}

ExitCode run_as_rank(Communicator& ranks, const std::function<ExitCode()>& work) {
  if (ranks.size() == 1) return work();
  try {
    const ExitCode result = work();
    ranks.finish();
    return result;
  } catch (const AgreedFailure& failure) {
    if (failure.is_speaker()) say(ranks, failure.what());
    finish(ranks);
    // mpirun drops what a rank has said if another's exit with an error comes before it: the speaker goes first.
    if (!failure.is_speaker()) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return failure.code();
  } catch (const std::exception& error) {
    say(ranks, one_line(error));
    ranks.abandon(static_cast<int>(exit_code(error)));
    return exit_code(error);
  }
}

}  // namespace ascore::tools
