#include "kernels/core/graph.hpp"

#include "kernels/core/cuda_runtime.hpp"
#include "kernels/core/dry_run.hpp"
#include "kernels/core/error.hpp"
#include "kernels/simt/recording.hpp"

namespace ascore {

Graph Graph::capture(Stream& stream, const std::function<void()>& body) {
  if (stream.device() == Device::cpu) {
    throw DeviceError("a step cannot be captured on the cpu, where nothing is queued; run it as it is");
  }
  if (stream.capturing()) throw DeviceError("a step is being captured on this stream already; captures do not nest");
  struct Capturing {
    explicit Capturing(Stream& s) : stream(s) { stream.capturing_ = true; }
    ~Capturing() {
      stream.capturing_ = false;
      stream.recording_ = nullptr;
    }
    Stream& stream;
  } capturing(stream);
  if (is_dry(stream)) {
    body();
    return {nullptr, 0};
  }
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) {
      kernels::cuda::begin_capture(stream.native());
      try {
        body();
      } catch (...) {
        kernels::cuda::abandon_capture(stream.native());
        throw;
      }
      const auto [executable, nodes] = kernels::cuda::end_capture(stream.native());
      return {std::shared_ptr<void>(executable, kernels::cuda::destroy_graph), nodes};
    }
  }
  if constexpr (kSimtBuilt) {
    const auto recording = std::make_shared<kernels::simt::Recording>();
    stream.recording_ = recording.get();
    body();
    return {recording, recording->size()};
  }
  throw DeviceError("this build has no device that a step could be captured on");
}

void Graph::replay(Stream& stream) const {
  if (stream.capturing()) throw DeviceError("a captured step cannot be replayed inside a capture");
  if (is_dry(stream)) return;
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) return kernels::cuda::launch_graph(work_.get(), stream.native());
  }
  if constexpr (kSimtBuilt) static_cast<kernels::simt::Recording*>(work_.get())->replay(stream);
}

}  // namespace ascore
