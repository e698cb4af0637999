// A library with NCCL's interface for tests: ranks are processes of one machine, memory is the host's, sums are taken
// in rank order. It is built from nccl.h's documented declarations, not from this program's, and holds the program to
// what NCCL asks: a non-blocking communicator, NVLS off before the first call, no call while one is under way, the same
// calls in the same order on all ranks.
//
//   STANDIN_NCCL_LOG=FILE        appends each rank's calls to FILE.RANK
//   STANDIN_NCCL_FAIL=RANK:N     that rank's Nth collective ends with an asynchronous error
//   STANDIN_NCCL_VERSION=21700   what ncclGetVersion says
//   STANDIN_NCCL_ABORT_MS=1000   how long ncclCommAbort takes, as where captured steps are left
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <climits>

#define STANDIN_API extern "C" __attribute__((visibility("default")))

struct ncclUniqueId {
  char internal[128];
};
struct ncclConfig_t {
  size_t size;
  unsigned int magic, version;
  int blocking, cgaClusterSize, minCTAs, maxCTAs;
  const char* netName;
  int splitShare;
};

namespace {

enum : int { kSuccess = 0, kInternal = 3, kInvalidArgument = 4, kInvalidUsage = 5, kRemote = 6, kInProgress = 7 };
enum : int { kUint8 = 1, kFloat32 = 7, kFloat64 = 8 };

constexpr int kMostRanks = 8;
constexpr size_t kPiece = size_t{1} << 16;

/// What a rank says of its next operation, and its data.
struct Desk {
  std::atomic<uint64_t> arrived;
  std::array<uint64_t, 4> operation;  ///< kind, count, type, root
  std::array<unsigned char, kPiece> piece;
};
struct Hall {
  std::array<Desk, kMostRanks> desks;
};

struct Aborted {};
struct Failed {
  int code;
};

size_t size_of(int type) {
  return type == kFloat64 ? 8 : type == kFloat32 ? 4 : 1;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

struct ncclComm {
  int rank = 0, size = 0;
  std::string path, last_error;
  Hall* hall = nullptr;
  uint64_t meetings = 0, collectives = 0;
  std::atomic<bool> aborted = false;
  std::atomic<int> state = kSuccess;
  std::thread job;

  ~ncclComm() {
    if (job.joinable()) job.join();
    if (hall) munmap(hall, sizeof(Hall));
  }

  void log(const std::string& line) const {
    const std::string file = variable("STANDIN_NCCL_LOG");
    if (!file.empty()) std::ofstream(file + "." + std::to_string(rank), std::ios::app) << line << "\n";
  }

  /// Does `work` beside the caller. A call while another is under way is the caller's fault.
  int begin(std::function<void()> work) {
    if (state != kSuccess) {
      last_error = "a call while another one is under way, or after an error";
      return kInvalidUsage;
    }
    if (job.joinable()) job.join();
    state = kInProgress;
    job = std::thread([this, work = std::move(work)] {
      try {
        work();
        state = kSuccess;
      } catch (const Aborted&) {
        state = kInternal;
      } catch (const Failed& failed) {
        state = failed.code;
      }
    });
    return kInProgress;
  }

  Desk& desk(int r) const { return hall->desks[static_cast<size_t>(r)]; }

  void meet() {
    desk(rank).arrived = ++meetings;
    for (int r = 0; r < size; ++r) {
      while (desk(r).arrived < meetings) {
        if (aborted) throw Aborted();
        usleep(50);
      }
    }
  }

  void join() {
    const int file = open(path.c_str(), O_RDWR);
    void* const memory = mmap(nullptr, sizeof(Hall), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) throw Failed{kInternal};
    hall = static_cast<Hall*>(memory);
    meet();
    if (rank == 0) unlink(path.c_str());
  }

  /// All ranks have come with the same operation.
  void agree(uint64_t kind, uint64_t count, int type, int root) {
    ++collectives;
    if (variable("STANDIN_NCCL_FAIL") == std::to_string(rank) + ":" + std::to_string(collectives)) {
      last_error = "planted";
      throw Failed{kRemote};
    }
    desk(rank).operation = {kind, count, static_cast<uint64_t>(type), static_cast<uint64_t>(root)};
    meet();
    for (int r = 0; r < size; ++r) {
      if (desk(r).operation != desk(rank).operation) throw Failed{kInvalidUsage};
    }
    meet();
  }

  template <class T>
  void add_up(void* to, size_t bytes) const {
    for (size_t i = 0; i < bytes / sizeof(T); ++i) {
      T sum;
      std::memcpy(&sum, desk(0).piece.data() + i * sizeof(T), sizeof(T));
      for (int r = 1; r < size; ++r) {
        T value;
        std::memcpy(&value, desk(r).piece.data() + i * sizeof(T), sizeof(T));
        sum += value;
      }
      std::memcpy(static_cast<unsigned char*>(to) + i * sizeof(T), &sum, sizeof(T));
    }
  }

  void all_reduce(const void* from, void* to, size_t count, int type) {
    agree(1, count, type, 0);
    const size_t bytes = count * size_of(type);
    for (size_t begin = 0; begin < bytes; begin += kPiece) {
      const size_t length = std::min(kPiece, bytes - begin);
      std::memcpy(desk(rank).piece.data(), static_cast<const unsigned char*>(from) + begin, length);
      meet();
      unsigned char* out = static_cast<unsigned char*>(to) + begin;
      type == kFloat64 ? add_up<double>(out, length) : add_up<float>(out, length);
      meet();
    }
  }

  void broadcast(const void* from, void* to, size_t count, int type, int root) {
    agree(2, count, type, root);
    const size_t bytes = count * size_of(type);
    for (size_t begin = 0; begin < bytes; begin += kPiece) {
      const size_t length = std::min(kPiece, bytes - begin);
      if (rank == root) {
        std::memcpy(desk(rank).piece.data(), static_cast<const unsigned char*>(from) + begin, length);
      }
      meet();
      std::memcpy(static_cast<unsigned char*>(to) + begin, desk(root).piece.data(), length);
      meet();
    }
  }
};

namespace {

thread_local int groups = 0;
thread_local ncclComm* group_comm = nullptr;
thread_local std::vector<std::function<void()>> group_work;

int collective(ncclComm* comm, void* stream, const std::string& line, std::function<void()> work) {
  if (stream != nullptr) return kInvalidArgument;
  comm->log(line);
  if (groups == 0) return comm->begin(std::move(work));
  group_comm = comm;
  group_work.push_back(std::move(work));
  return kInProgress;
}

}  // namespace

STANDIN_API int ncclGetVersion(int* version) {
  const std::string said = variable("STANDIN_NCCL_VERSION");
  *version = said.empty() ? 22703 : std::atoi(said.c_str());
  return kSuccess;
}

STANDIN_API const char* ncclGetErrorString(int code) {
  return code == kRemote ? "remote process exited or there was a network error" : "invalid usage of the stand-in";
}

STANDIN_API const char* ncclGetLastError(ncclComm* comm) {
  return comm->last_error.c_str();
}

STANDIN_API int ncclGetUniqueId(ncclUniqueId* id) {
  if (variable("NCCL_NVLS_ENABLE") != "0") return kInvalidUsage;
  std::string pattern = "/dev/shm/ascore-standin-XXXXXX";
  const int file = mkstemp(pattern.data());
  if (file < 0 || ftruncate(file, sizeof(Hall)) != 0) return kInternal;
  close(file);
  *id = {};
  std::memcpy(id->internal, pattern.data(), pattern.size());
  return kSuccess;
}

STANDIN_API int ncclCommInitRankConfig(ncclComm** comm, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  const bool sound = config->size == sizeof(ncclConfig_t) && config->magic == 0xcafebeef && config->version >= 21700 &&
                     config->splitShare == INT_MIN && config->netName == nullptr;
  if (!sound || config->blocking != 0 || size > kMostRanks) return kInvalidArgument;
  if (variable("NCCL_NVLS_ENABLE") != "0") return kInvalidUsage;
  *comm = new ncclComm;
  (*comm)->rank = rank;
  (*comm)->size = size;
  (*comm)->path = id.internal;
  (*comm)->log("init");
  return (*comm)->begin([made = *comm] { made->join(); });
}

STANDIN_API int ncclCommGetAsyncError(ncclComm* comm, int* state) {
  *state = comm->state;
  return kSuccess;
}

STANDIN_API int ncclCommFinalize(ncclComm* comm) {
  comm->log("finalize");
  return comm->begin([comm] { comm->meet(); });
}

STANDIN_API int ncclCommDestroy(ncclComm* comm) {
  comm->log("destroy");
  delete comm;
  return kSuccess;
}

STANDIN_API int ncclCommAbort(ncclComm* comm) {
  comm->log("abort");
  comm->aborted = true;
  usleep(static_cast<useconds_t>(1000 * std::atoi(variable("STANDIN_NCCL_ABORT_MS").c_str())));
  delete comm;
  return kSuccess;
}

STANDIN_API int ncclGroupStart() {
  ++groups;
  return kSuccess;
}

STANDIN_API int ncclGroupEnd() {
  if (--groups > 0 || group_work.empty()) return kSuccess;
  return group_comm->begin([work = std::exchange(group_work, {})] {
    for (const auto& one : work) one();
  });
}

STANDIN_API int ncclAllReduce(const void* from, void* to, size_t count, int type, int operation, ncclComm* comm,
                              void* stream) {
  if (operation != 0 || (type != kFloat32 && type != kFloat64)) return kInvalidArgument;
  return collective(comm, stream, "all_reduce " + std::to_string(count) + " of type " + std::to_string(type),
                    [=] { comm->all_reduce(from, to, count, type); });
}

STANDIN_API int ncclBroadcast(const void* from, void* to, size_t count, int type, int root, ncclComm* comm,
                              void* stream) {
  return collective(comm, stream, "broadcast " + std::to_string(count) + " from " + std::to_string(root),
                    [=] { comm->broadcast(from, to, count, type, root); });
}
