#include "tools/options.hpp"

#include "kernels/core/error.hpp"
#include "tools/validators.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {

void add_common_options(CLI::App& command, CommonOptions& options) {
  const char* group = "Common options";
  command.add_option("--device", options.device, "auto, cpu, cuda, or simt (the emulated CUDA device: slow)")
      ->check(CLI::IsMember({"auto", "cpu", "cuda", "simt"}))
      ->type_name("NAME")
      ->group(group);
  command
      .add_option("--precision", options.precision,
                  "type of activations: f32 or bf16 (auto: bf16 on cuda, else f32); f64: of everything (cpu alone); "
                  "tf32: refused so far")
      ->check(CLI::IsMember({"auto", "f32", "bf16", "tf32", "f64"}))
      ->type_name("TYPE")
      ->group(group);
  command.add_option("--threads", options.threads, "CPU threads (default: all)")
      ->check(whole_number(1, 4096))
      ->type_name("N")
      ->group(group);
  command.add_option("--seed", options.seed, "key of all random numbers (default: the recipe's)")
      ->check(whole_number(0))
      ->type_name("N")
      ->group(group);
  command.add_option("--set", options.set, "change a recipe key, e.g. --set score.width=64; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->group(group);
  command.add_flag("--quiet", options.quiet, "no progress on stderr")->group(group);
}

std::vector<std::string> recipe_overrides(const CommonOptions& options) {
  std::vector<std::string> overrides = options.set;
  if (options.seed) overrides.push_back(fmt::format("seed={}", *options.seed));
  return overrides;
}

Device chosen_device(const CommonOptions& options) {
  Device device = Device::cpu;
  if (options.device == "auto") return is_available(Device::cuda) ? Device::cuda : Device::cpu;
  if (options.device == "cuda") device = Device::cuda;
  if (options.device == "simt") device = Device::simt;
  if (const char* reason = unavailable_reason(device); *reason) {
    throw DeviceError(fmt::format("--device {}: {}; run with --device auto", options.device, reason));
  }
  return device;
}

void require_cpu_only(const CommonOptions& options, std::string_view command) {
  if (options.device != "auto" && options.device != "cpu") {
    throw ConfigError(
        fmt::format("--device {}: ascore {} computes on the cpu alone; leave --device away", options.device, command));
  }
  if (options.precision != "auto" && options.precision != "f32") {
    throw ConfigError(
        fmt::format("--precision {}: ascore {} knows no other than f32; leave it away", options.precision, command));
  }
}

DType chosen_precision(const CommonOptions& options, Device device) {
  if (options.precision == "auto") return device == Device::cuda ? DType::bf16 : DType::f32;
  if (options.precision == "bf16") return DType::bf16;
  if (options.precision == "f32") return DType::f32;
  if (options.precision == "f64") {
    if (device == Device::cpu) return DType::f64;
    throw ConfigError(
        fmt::format("--precision f64: only the cpu computes in f64, this is {}; use --device cpu", name(device)));
  }
  if (options.precision == "tf32" && device != Device::cuda) {
    throw ConfigError(fmt::format("--precision tf32: only --device cuda computes in tf32, this is {}; use f32 or bf16",
                                  name(device)));
  }
  throw ConfigError(fmt::format("--precision {}: not available in this version; use f32, bf16 or, on the cpu, f64",
                                options.precision));
}

}  // namespace ascore::tools
