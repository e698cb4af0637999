#include "tools/exit_code.hpp"

#include "engine/dist/peer_lost.hpp"
#include "kernels/core/error.hpp"

#include <filesystem>
#include <new>

namespace ascore::tools {

ExitCode exit_code(const std::exception& error) {
  const auto is = [&]<class E>(const E*) { return dynamic_cast<const E*>(&error) != nullptr; };
  if (is(static_cast<const ConfigError*>(nullptr))) return ExitCode::usage;
  if (is(static_cast<const DataError*>(nullptr))) return ExitCode::data;
  if (is(static_cast<const OutOfMemoryError*>(nullptr)) || is(static_cast<const std::bad_alloc*>(nullptr))) {
    return ExitCode::memory;
  }
  if (is(static_cast<const DivergedError*>(nullptr))) return ExitCode::diverged;
  if (is(static_cast<const DeviceError*>(nullptr))) return ExitCode::device;
  if (is(static_cast<const PeerLostError*>(nullptr))) return ExitCode::peer_lost;
  if (is(static_cast<const DiskError*>(nullptr)) ||
      is(static_cast<const std::filesystem::filesystem_error*>(nullptr))) {
    return ExitCode::disk;
  }
  return ExitCode::failed;
}

std::string one_line(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error)) return "out of host memory";
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace ascore::tools
