#include "tools/profile/memory_limit.hpp"

#include "kernels/core/cuda_runtime.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

/// The number in the first line of `file` that begins with `key` (empty: in its first line).
std::optional<size_t> number_in(const fs::path& file, const std::string& key = "") {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream rest(line.substr(key.size()));
    size_t number = 0;
    if (rest >> number) return number;
    return std::nullopt;  // "max": no limit
  }
  return std::nullopt;
}

void lower(std::optional<MemoryLimit>& limit, size_t bytes, const char* what) {
  if (!limit || bytes < limit->bytes) limit = MemoryLimit{bytes, true, what};
}

void lower_by_use(std::optional<MemoryLimit>& limit, std::optional<size_t> most, std::optional<size_t> used,
                  const char* what) {
  if (most && used) lower(limit, *most > *used ? *most - *used : 0, what);
}

/// Addresses that are taken and hold nothing: the C library reserves 64 MiB for a thread's heap, beside its stack.
constexpr size_t kReserved = size_t{128} << 20;

std::optional<MemoryLimit> free_host_memory() {
  std::optional<MemoryLimit> limit;
  if (const auto available = number_in("/proc/meminfo", "MemAvailable:")) {
    lower(limit, *available * 1024, "free memory of this machine");
  }
  const char* group = "limit of the control group";
  const fs::path root = "/sys/fs/cgroup";
  lower_by_use(limit, number_in(root / "memory.max"), number_in(root / "memory.current"), group);
  lower_by_use(limit, number_in(root / "memory/memory.limit_in_bytes"),
               number_in(root / "memory/memory.usage_in_bytes"), group);
  rlimit addresses{};
  const auto taken = number_in("/proc/self/status", "VmSize:");
  if (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY && taken) {
    lower_by_use(limit, addresses.rlim_cur, *taken * 1024 + kReserved,
                 "limit of the process's address space (ulimit -v)");
  }
  return limit;
}

std::optional<MemoryLimit> all_free_memory(Device device) {
  if (device != Device::cuda) return free_host_memory();
  if constexpr (kCudaBuilt) {
    if (is_available(Device::cuda)) return MemoryLimit{kernels::cuda::memory().free, false, "free memory of the GPU"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<MemoryLimit> free_memory(Device device) {
  auto limit = all_free_memory(device);
  if (limit) {
    // Compiled kernels, threads' stacks, pages cut up: nobody predicts them, and what just fits without them does not.
    limit->bytes -= limit->bytes / 8;
    limit->what = "7/8 of the " + limit->what;
  }
  return limit;
}

}  // namespace ascore::tools
