#include "benchmarks/measure/timer.hpp"

#include <chrono>

namespace ascore::bench {

namespace {
class SteadyTimer final : public Timer {
 public:
  double seconds(const std::function<void()>& work) override {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};
}  // namespace

std::unique_ptr<Timer> make_timer(Stream& stream) {
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) return make_cuda_timer(stream);
  }
  return std::make_unique<SteadyTimer>();
}

}  // namespace ascore::bench
