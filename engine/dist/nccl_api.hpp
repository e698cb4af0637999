#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <climits>

/// What the program uses of NCCL's C interface, declared here: the library is opened when ranks on GPUs are joined, so
/// that neither a build nor a start of the program needs it. Values, layouts and signatures are those of nccl.h 2.18
/// (nccl.h.in in the library's sources), which later releases of NCCL 2 keep: a configuration says its own size and
/// version, and they take what it lacks from their defaults.
namespace ascore::dist::nccl {

constexpr int kOldestVersion = 21800;  ///< major * 10000 + minor * 100 + patch

struct Comm;

struct UniqueId {
  std::array<char, 128> bytes;
};

enum class Result : int {
  success = 0,
  unhandled_cuda_error = 1,
  system_error = 2,
  internal_error = 3,
  invalid_argument = 4,
  invalid_usage = 5,
  remote_error = 6,
  in_progress = 7
};
enum class DataType : int { uint8 = 1, float32 = 7, float64 = 8 };
enum class Operation : int { sum = 0 };

/// ncclConfig_t of 2.18.
struct Config {
  size_t size = sizeof(Config);
  unsigned magic = 0xcafebeef;
  unsigned version = kOldestVersion;
  int blocking = 0;  ///< calls return at once, with in_progress
  int cga_cluster_size = INT_MIN, min_ctas = INT_MIN, max_ctas = INT_MIN;
  const char* net_name = nullptr;
  int split_share = INT_MIN;
};
static_assert(sizeof(Config) == 48 && offsetof(Config, net_name) == 32);

/// The functions, under NCCL's names without their prefix. `stream` is a cudaStream_t.
struct Api {
  std::string file;  ///< where they come from
  Result (*get_version)(int* version);
  const char* (*get_error_string)(Result);
  const char* (*get_last_error)(Comm*);
  Result (*get_unique_id)(UniqueId*);
  Result (*comm_init_rank_config)(Comm**, int ranks, UniqueId, int rank, Config*);
  Result (*comm_get_async_error)(Comm*, Result*);
  Result (*comm_finalize)(Comm*);
  Result (*comm_destroy)(Comm*);
  Result (*comm_abort)(Comm*);
  Result (*group_start)();
  Result (*group_end)();
  Result (*all_reduce)(const void* from, void* to, size_t count, DataType, Operation, Comm*, void* stream);
  Result (*broadcast)(const void* from, void* to, size_t count, DataType, int root, Comm*, void* stream);
};

/// The file that the variable ASCORE_NCCL names, if it is set; else libnccl.so.2 where the loader looks; else that of
/// the Python package nvidia-nccl, of a Python in PATH or in the user's own packages. It stays open. Throws
/// DeviceError, saying where it looked, and if it is older than 2.18.
const Api& open();

}  // namespace ascore::dist::nccl
