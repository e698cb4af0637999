#include "tools/signals.hpp"

#include "tools/exit_code.hpp"

#include <csignal>
#include <string_view>
#include <unistd.h>

namespace ascore::tools {
namespace {

std::atomic<bool> stop{false}, silent{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must not wait");

void handle(int signal) {
  if (!stop.exchange(true)) {
    if (silent) return;
    constexpr std::string_view text =
        "\nascore: finishing this step, then stopping (interrupt again to stop at once)\n";
    if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
  } else if (signal == SIGINT) {
    _exit(static_cast<int>(ExitCode::killed));
  }
}

}  // namespace

const std::atomic<bool>& stop_on_signals(bool speaks) {
  silent = !speaks;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
  return stop;
}

}  // namespace ascore::tools
