#pragma once

#include "kernels/core/device.hpp"

#include <cstdint>
#include <memory>
#include <typeindex>
#include <unordered_map>

namespace ascore {

class Graph;
class OpScope;
namespace kernels::simt {
class Recording;
}

/// What the emulated device checks while kernels run. A broken rule is a KernelError that names operation, block,
/// thread and address. All but `barriers` need a build with ASCORE_SIMT_CHECKS (kSimtChecksBuilt).
struct SimtChecks {
  bool bounds = true;       ///< an access outside the operation's views and shared arrays, a write to a read-only view
  bool alignment = true;    ///< an access at an address that its type does not allow
  bool initialised = true;  ///< a read of shared memory, or of an output, that nothing has written
  bool races = true;        ///< two threads touch an element, one of them writes, and no barrier parts them
  bool barriers = true;     ///< a barrier that part of the block has left behind

  static constexpr SimtChecks none() { return {false, false, false, false, false}; }
};

/// How a stream runs.
struct StreamOptions {
  int threads = 0;         ///< cpu: OpenMP threads; 0 = all that the process may use
  uint64_t schedule = 0;   ///< simt: seed of the order in which the threads of a block run
  SimtChecks checks = {};  ///< simt: what is checked; all, unless told otherwise
};

/// What an emulated device did so far: a test that expects kernels to have run asserts that these grew.
struct SimtCounters {
  uint64_t launches = 0, blocks = 0, threads = 0, barriers = 0;
};

/// A queue of operations on one device, and what they share: thread count, library handles, primitive caches. Every
/// operation takes a stream first. Not thread-safe: one host thread uses a stream at a time.
class Stream {
 public:
  /// Throws DeviceError (with the reason) if the device is not available.
  explicit Stream(Device device, StreamOptions options = {});
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Device device() const { return device_; }
  /// Threads that cpu loops of this stream use.
  int threads() const { return threads_; }
  uint64_t schedule() const { return options_.schedule; }
  const SimtChecks& checks() const { return options_.checks; }
  /// Waits until everything queued has run; errors of queued work are thrown here at the latest. Throws DeviceError
  /// during a capture, which has nothing to wait for.
  void synchronize();
  /// The cudaStream_t on cuda, null elsewhere.
  void* native() const { return native_; }

  /// The stream's own T, made on first use: where an operation keeps library handles and primitive caches.
  template <class T>
  T& attached() {
    auto& slot = attachments_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

  /// True while Graph::capture listens: what is queued now is remembered instead of run.
  bool capturing() const { return capturing_; }
  /// simt: where a capture remembers; null outside.
  kernels::simt::Recording* recording() const { return recording_; }

  SimtCounters& simt_counters() { return simt_counters_; }

  /// The innermost operation that is running, for error messages; null outside operations.
  const OpScope* current_op() const { return op_; }

 private:
  friend class Graph;
  friend class OpScope;
  Device device_;
  StreamOptions options_;
  int threads_ = 1;
  void* native_ = nullptr;
  const OpScope* op_ = nullptr;
  uint64_t ops_ = 0;  ///< operations begun
  bool capturing_ = false;
  kernels::simt::Recording* recording_ = nullptr;
  SimtCounters simt_counters_;
  std::unordered_map<std::type_index, std::shared_ptr<void>> attachments_;
};

}  // namespace ascore
