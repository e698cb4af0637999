#include "tools/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unistd.h>

#include <fmt/format.h>

namespace ascore::tools {

ProgressDisplay::ProgressDisplay(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = terminal_ && !(no_colour && *no_colour);
}

ProgressDisplay::~ProgressDisplay() {
  if (drawn_ && terminal_) fmt::print(stderr, "\n");
}

void ProgressDisplay::show(int64_t done, int64_t all, const std::string& words) {
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (drawn_ && now - last_ < pause && done < all) return;
  drawn_ = true;
  last_ = now;
  const double share = all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 1;
  if (!terminal_) {
    fmt::print(stderr, "{}/{} {}\n", done, all, words);
    return;
  }
  constexpr int kWidth = 24;
  const int full = std::clamp(static_cast<int>(share * kWidth), 0, kWidth);
  fmt::print(stderr, "\r\033[K{}{:━<{}}{}{:╌<{}} {}/{} {}", colour_ ? "\033[32m" : "", "", full,
             colour_ ? "\033[0m" : "", "", kWidth - full, done, all, words);
  std::fflush(stderr);
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace ascore::tools
