#include "benchmarks/measure/timer.hpp"
#include "kernels/core/cuda_check.hpp"

#include <cuda_runtime.h>

namespace ascore::bench {

namespace {

using kernels::cuda::check;

/// More than the level 2 caches of GPUs hold (H100: 50 MB).
constexpr size_t kFlushBytes = 256u << 20;

class EventTimer final : public Timer {
 public:
  explicit EventTimer(Stream& stream) : stream_(static_cast<cudaStream_t>(stream.native())) {
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
    check(cudaMalloc(&flushed_, kFlushBytes), "cudaMalloc");
  }
  ~EventTimer() override {
    cudaFree(flushed_);
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  EventTimer(const EventTimer&) = delete;
  EventTimer& operator=(const EventTimer&) = delete;

  double seconds(const std::function<void()>& work) override {
    check(cudaMemsetAsync(flushed_, 0, kFlushBytes, stream_), "cudaMemsetAsync");
    check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
    work();
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e-3 * static_cast<double>(milliseconds);
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  void* flushed_ = nullptr;
};

}  // namespace

std::unique_ptr<Timer> make_cuda_timer(Stream& stream) {
  return std::make_unique<EventTimer>(stream);
}

}  // namespace ascore::bench
