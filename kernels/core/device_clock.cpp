#include "kernels/core/device_clock.hpp"

#include "kernels/core/cuda_runtime.hpp"

#include <chrono>

namespace ascore {

struct DeviceClock::State {
  using Time = std::chrono::steady_clock::time_point;
  Stream& stream;
  std::vector<Time> times;    ///< of the host
  std::vector<void*> events;  ///< cudaEvent_t each
};

DeviceClock::DeviceClock(Stream& stream) : state_(std::make_unique<State>(State{stream, {}, {}})) {}

DeviceClock::~DeviceClock() {
  if constexpr (kCudaBuilt) {
    for (void* event : state_->events) kernels::cuda::destroy_event(event);
  }
}

size_t DeviceClock::mark() {
  State& s = *state_;
  if (s.stream.native()) return mark_on(s.stream.native());
  s.times.push_back(std::chrono::steady_clock::now());
  return s.times.size() - 1;
}

size_t DeviceClock::mark_on(void* native) {
  State& s = *state_;
  if constexpr (kCudaBuilt) s.events.push_back(kernels::cuda::record_event(native));
  return s.events.size() - 1;
}

std::vector<double> DeviceClock::seconds() {
  State& s = *state_;
  s.stream.synchronize();
  std::vector<double> result;
  if constexpr (kCudaBuilt) {
    for (void* event : s.events) result.push_back(kernels::cuda::seconds_between(s.events.front(), event));
  }
  for (const State::Time& time : s.times) {
    result.push_back(std::chrono::duration<double>(time - s.times.front()).count());
  }
  return result;
}

}  // namespace ascore
