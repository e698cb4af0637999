#pragma once

#include "kernels/core/device.hpp"
#include "kernels/core/dtype.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace ascore::tools {

/// Options of every computing command.
struct CommonOptions {
  std::string device = "auto";
  std::string precision = "auto";
  int threads = 0;
  std::optional<int64_t> seed;
  std::vector<std::string> set;
  bool quiet = false;
};
void add_common_options(CLI::App& command, CommonOptions& options);

/// The `--set` overrides, with `--seed` as the last of them.
std::vector<std::string> recipe_overrides(const CommonOptions& options);

/// The device that `--device` means: auto is cuda where there is one, else cpu. Throws DeviceError where it is absent.
Device chosen_device(const CommonOptions& options);

/// For a command that computes on the CPU alone and in one precision. Throws ConfigError where --device or --precision
/// ask it for anything else: an option that does nothing would be a lie.
void require_cpu_only(const CommonOptions& options, std::string_view command);

/// The activation type that `--precision` means on that device: auto is bf16 on cuda, f32 elsewhere. Throws ConfigError
/// for one that it cannot compute in.
DType chosen_precision(const CommonOptions& options, Device device);

}  // namespace ascore::tools
