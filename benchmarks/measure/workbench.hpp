#pragma once

#include "benchmarks/measure/timer.hpp"
#include "engine/autograd/context.hpp"

#include <memory>

namespace ascore::bench {

/// What the rows of `ascore-bench kernels` are measured with.
struct KernelOptions {
  Device device = Device::cpu;
  DType dtype = DType::f32;  ///< of activations
  int64_t batch = 4;
  int64_t width = 128;        ///< channels of the networks' first stage; the others in proportion
  int64_t size = 32;          ///< height and width of the images; inner maps in proportion
  int threads = 0;            ///< cpu; 0: all
  double allowed_error = -1;  ///< relative error above which a row is wrong; negative: by dtype and operation

  /// A channel count of the networks at width 128, a side of their maps at 32x32. Colours stay three.
  int64_t channels(int64_t at_128) const { return at_128 <= 3 ? at_128 : std::max<int64_t>(1, at_128 * width / 128); }
  int64_t side(int64_t at_32) const { return std::max<int64_t>(1, at_32 * size / 32); }
};

/// The device under test: memory, inputs, time.
class Workbench {
 public:
  /// Throws DeviceError.
  explicit Workbench(const KernelOptions& options);

  Ctx& ctx() { return ctx_; }
  Stream& stream() { return stream_; }
  const KernelOptions& options() const { return options_; }

  /// Standard normals, others at every call; stamped as parameters are, so that repacked weights may be kept.
  Tensor normal(const Shape& shape, DType dtype);
  Tensor empty(const Shape& shape, DType dtype) { return ctx_.empty(shape, dtype); }
  Tensor zeros(const Shape& shape, DType dtype) { return ctx_.zeros(shape, dtype); }
  /// A workspace (u8); absent for 0 bytes.
  Tensor workspace(size_t bytes);
  /// Seconds that the device needs for what `work` queues.
  double seconds(const std::function<void()>& work) { return timer_->seconds(work); }

 private:
  KernelOptions options_;
  Stream stream_;
  std::unique_ptr<Allocator> allocator_;
  Ctx ctx_;
  std::unique_ptr<Timer> timer_;
  uint64_t draws_ = 0;
};

}  // namespace ascore::bench
