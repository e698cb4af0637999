#include "engine/dist/mpi_transport.hpp"

#include "engine/dist/mpi_module.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <dlfcn.h>
#include <filesystem>
#include <sched.h>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace ascore::dist {

#ifdef ASCORE_MPI_MODULE
const bool kMpiBuilt = true;
#else
const bool kMpiBuilt = false;
// Where the module would lie: nobody looks.
#define ASCORE_MPI_MODULE ""
#define ASCORE_MPI_INSTALLED ""
#endif

namespace {

constexpr size_t kLargest = size_t{1} << 30;  // bytes of one message of MPI, whose counts are int
constexpr uint64_t kTags = 32767;             // what every MPI has at least

/// The module of the build, or next to where the program was installed. It is never unloaded: MPI starts once.
const MpiModule& module() {
  if (!kMpiBuilt)
    throw DeviceError(
        "this build has no MPI (configure with ASCORE_MPI=ON); use --rendezvous file:PATH or tcp:HOST:PORT");
  std::error_code unknown;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  std::string reasons;
  for (const std::string& file : {std::string(ASCORE_MPI_MODULE), (program / ".." / ASCORE_MPI_INSTALLED).string()}) {
    void* library =
        dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);  // global: Open MPI's own modules look for its symbols
    if (!library) {
      reasons += fmt::format("; {}", dlerror());
      continue;
    }
    void* symbol = dlsym(library, kMpiModuleSymbol);
    if (symbol) return *reinterpret_cast<const MpiModule* (*)()>(symbol)();
  }
  throw DeviceError(fmt::format("MPI cannot be opened{}", reasons));
}

class MpiTransport final : public Transport {
 public:
  MpiTransport(int rank, int size) : mpi_(module()) {
    check(mpi_.start(&rank_, &size_), "MPI_Init_thread");
    if (rank_ != rank || size_ != size) {
      throw Error(
          fmt::format("MPI says rank {} of {}, the launcher's variables say rank {} of {}: the launcher does not "
                      "know this MPI; with Slurm try srun --mpi=pmix or --mpi=pmi2, or give --rendezvous",
                      rank_, size_, rank, size));
    }
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string kind() const override { return "mpi"; }

  void exchange(uint64_t tag, std::span<const Outgoing> send, std::span<const Incoming> receive,
                const Poll& poll) override {
    const int mpi_tag = static_cast<int>(tag % kTags);
    std::vector<void*> requests;
    for (const Incoming& one : receive) {
      for (size_t begin = 0; begin < one.bytes.size(); begin += kLargest) {
        const int count = static_cast<int>(std::min(kLargest, one.bytes.size() - begin));
        check(mpi_.receive(one.bytes.data() + begin, count, one.from, mpi_tag, &requests.emplace_back()), "MPI_Irecv");
      }
    }
    for (const Outgoing& one : send) {
      for (size_t begin = 0; begin < one.bytes.size(); begin += kLargest) {
        const int count = static_cast<int>(std::min(kLargest, one.bytes.size() - begin));
        check(mpi_.send(one.bytes.data() + begin, count, one.to, mpi_tag, &requests.emplace_back()), "MPI_Isend");
      }
    }
    unfinished_ = true;
    wait_for(requests, poll);
    unfinished_ = false;
  }

  /// What went wrong, the next exchange will tell. After one that was broken off MPI is left alone: it would write into
  /// memory that may be gone.
  void idle() override {
    if (!unfinished_) mpi_.progress();
  }
  void finish() override { check(mpi_.finish(), "MPI_Finalize"); }
  void abort(int exit_code) noexcept override { mpi_.abort(exit_code); }

 private:
  /// Asks again and again, at growing distances: ranks may be more than the machine has cores, and MPI's own waiting
  /// would never look whether a rank is lost.
  void wait_for(std::vector<void*>& requests, const Poll& poll) {
    using namespace std::chrono_literals;
    constexpr int kEager = 50;
    std::chrono::microseconds pause = 20us;
    for (int round = 0;; ++round) {
      std::erase_if(requests, [&](void* request) {
        int done = 0;
        check(mpi_.test(request, &done), "MPI_Test");
        return done != 0;
      });
      if (requests.empty()) return;
      if (round < kEager) {
        sched_yield();
        continue;
      }
      poll();
      std::this_thread::sleep_for(pause);
      pause = std::min<std::chrono::microseconds>(pause * 2, 1ms);
    }
  }

  void check(int error, const char* call) const {
    if (error == 0) return;
    std::array<char, 512> words{};
    mpi_.describe(error, words.data(), words.size());
    throw Error(fmt::format("{} failed: {}", call, words.data()));
  }

  const MpiModule& mpi_;
  int rank_ = 0, size_ = 1;
  bool unfinished_ = false;  ///< an exchange is under way, or was broken off
};

}  // namespace

std::unique_ptr<Transport> make_mpi_transport(int rank, int size) {
  return std::make_unique<MpiTransport>(rank, size);
}

}  // namespace ascore::dist
