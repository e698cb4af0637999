#include "engine/dist/nccl_api.hpp"

#include "kernels/core/error.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <glob.h>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace ascore::dist::nccl {

namespace {

constexpr const char* kLibrary = "libnccl.so.2";

std::vector<std::string> files_like(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return files;
}

/// The libraries of the Python package nvidia-nccl: packages lie beside the folder of their Python.
std::vector<std::string> files_of_pythons() {
  std::vector<std::filesystem::path> roots;
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::error_code unknown;
    if (std::filesystem::exists(std::filesystem::path(folder) / "python3", unknown)) {
      roots.push_back(std::filesystem::path(folder).parent_path());
    }
  }
  if (const char* home = std::getenv("HOME")) roots.push_back(std::filesystem::path(home) / ".local");
  std::vector<std::string> files;
  for (const std::filesystem::path& root : roots) {
    for (const char* packages : {"site-packages", "dist-packages"}) {
      const std::filesystem::path pattern = root / "lib" / "python3*" / packages / "nvidia/nccl/lib" / kLibrary;
      for (std::string& file : files_like(pattern.string())) files.push_back(std::move(file));
    }
  }
  return files;
}

void* open_library(std::string& file) {
  const char* const named = std::getenv("ASCORE_NCCL");
  std::vector<std::string> candidates{named && *named ? named : kLibrary};
  if (candidates.front() == kLibrary) {
    for (std::string& more : files_of_pythons()) candidates.push_back(std::move(more));
  }
  std::string reasons;
  for (const std::string& candidate : candidates) {
    if (void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      file = candidate;
      return library;
    }
    reasons += fmt::format("; {}", dlerror());
  }
  if (named && *named) throw DeviceError(fmt::format("NCCL, which ASCORE_NCCL names, cannot be opened{}", reasons));
  throw DeviceError(fmt::format(
      "NCCL cannot be opened{}; no nvidia/nccl/lib/{} {} among the packages of the Pythons in PATH; install "
      "it (libnccl2, or nvidia-nccl by pip), or name the file by ASCORE_NCCL",
      reasons, kLibrary, candidates.size() > 1 ? "more" : "lies"));
}

template <class Function>
void find(void* library, const std::string& file, const char* name, Function& function) {
  void* const symbol = dlsym(library, name);
  if (!symbol) throw DeviceError(fmt::format("{}: is no NCCL that can be used: it has no {}", file, name));
  function = reinterpret_cast<Function>(symbol);
}

Api load() {
  Api api{};
  void* const library = open_library(api.file);
  const auto take = [&](const char* name, auto& function) { find(library, api.file, name, function); };
  take("ncclGetVersion", api.get_version);
  int version = 0;
  if (api.get_version(&version) != Result::success || version < kOldestVersion) {
    throw DeviceError(
        fmt::format("{}: is NCCL {}.{}.{}; 2.18 or later is needed: install it, or name another one by ASCORE_NCCL",
                    api.file, version / 10000, version / 100 % 100, version % 100));
  }
  take("ncclGetErrorString", api.get_error_string);
  take("ncclGetLastError", api.get_last_error);
  take("ncclGetUniqueId", api.get_unique_id);
  take("ncclCommInitRankConfig", api.comm_init_rank_config);
  take("ncclCommGetAsyncError", api.comm_get_async_error);
  take("ncclCommFinalize", api.comm_finalize);
  take("ncclCommDestroy", api.comm_destroy);
  take("ncclCommAbort", api.comm_abort);
  take("ncclGroupStart", api.group_start);
  take("ncclGroupEnd", api.group_end);
  take("ncclAllReduce", api.all_reduce);
  take("ncclBroadcast", api.broadcast);
  return api;
}

}  // namespace

const Api& open() {
  static const Api api = load();  // once, as the library itself is one for a process; tried again if it failed
  return api;
}

}  // namespace ascore::dist::nccl
