#pragma once

#include "engine/tensor/ledger.hpp"
#include "kernels/core/device_clock.hpp"
#include "kernels/core/op_observer.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ascore::tools {

/// One operation that ran.
struct TracedOp {
  std::string name, arguments;  ///< "conv2d", "conv2d(f32[2,8,8,3], ...)"
  double begin = 0, end = 0;    ///< seconds since the first
  size_t live_bytes = 0;        ///< when it was queued
};

/// Notes when each operation of a stream begins and ends, and how much memory was live then.
class OpTrace final : public OpObserver {
 public:
  /// Watches `stream` until `finish`. Both outlive that.
  void start(Stream& stream, const MemoryLedger& ledger);
  /// Waits for the stream, and watches it no longer.
  void finish();
  /// The operations in the order they began, inner ones after those around them. Valid after finish.
  const std::vector<TracedOp>& operations() const { return operations_; }

  void begin(Stream& stream, const char* name) override;
  void end(Stream& stream) override;

 private:
  struct Marks {
    size_t begin, end;
  };
  Stream* stream_ = nullptr;
  const MemoryLedger* ledger_ = nullptr;
  std::unique_ptr<DeviceClock> clock_;
  std::vector<TracedOp> operations_;
  std::vector<Marks> marks_;
  std::vector<size_t> open_;  ///< operations that have begun and not ended
};

/// A trace in Chrome's JSON format (chrome://tracing, ui.perfetto.dev): a slice per operation, a counter of live bytes.
std::string to_chrome_trace(const std::vector<TracedOp>& operations);

}  // namespace ascore::tools
