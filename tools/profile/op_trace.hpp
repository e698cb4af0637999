#pragma once

#include "engine/dist/communicator.hpp"
#include "engine/tensor/ledger.hpp"
#include "kernels/core/device_clock.hpp"
#include "kernels/core/op_observer.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ascore::tools {

/// One operation that ran.
struct TracedOp {
  std::string name, arguments;  ///< "conv2d", "conv2d(f32[2,8,8,3], ...)"
  double begin = 0, end = 0;    ///< seconds since the first
  size_t live_bytes = 0;        ///< when it was queued
};

/// A sum between ranks: of a bucket of gradients, of a loss.
struct TracedSum {
  size_t bytes = 0;
  double begin = 0, end = 0;  ///< seconds since the first operation
};

/// Notes when each operation of a stream begins and ends, and how much memory was live then; and the same of sums
/// between ranks, which run beside them.
class OpTrace final : public OpObserver, public SumObserver {
 public:
  /// Watches `stream`, and `ranks` if given, until `finish`. All outlive that.
  void start(Stream& stream, const MemoryLedger& ledger, Communicator* ranks = nullptr);
  /// Waits for the stream, and watches it no longer.
  void finish();
  /// The operations in the order they began, inner ones after those around them. Valid after finish.
  const std::vector<TracedOp>& operations() const { return operations_; }
  /// The sums in the order they began. Valid after finish.
  const std::vector<TracedSum>& sums() const { return sums_; }

  void begin(Stream& stream, const char* name) override;
  void end(Stream& stream) override;
  void begin_sum(void* native, size_t bytes) override;
  void end_sum(void* native) override;

 private:
  struct Marks {
    size_t begin, end;
  };
  double seconds_now() const { return std::chrono::duration<double>(Time::now() - origin_).count(); }

  using Time = std::chrono::steady_clock;
  Stream* stream_ = nullptr;
  const MemoryLedger* ledger_ = nullptr;
  Communicator* ranks_ = nullptr;
  Time::time_point origin_;
  std::unique_ptr<DeviceClock> clock_;
  std::vector<TracedOp> operations_;
  std::vector<Marks> marks_;
  std::vector<size_t> open_;  ///< operations that have begun and not ended
  std::mutex mutex_;          ///< sums may be told of by a thread of the communicator
  std::vector<TracedSum> sums_;
  std::vector<Marks> sum_marks_;  ///< of sums that a GPU times
};

/// A trace in Chrome's JSON format (chrome://tracing, ui.perfetto.dev): a slice per operation, a counter of live bytes;
/// sums between ranks on a track of their own.
std::string to_chrome_trace(const OpTrace& trace);

}  // namespace ascore::tools
