#pragma once

#include "engine/autograd/context.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/core/stream.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ascore::test {

/// Devices that this run tests: those of ASCORE_TEST_DEVICES ("cpu,simt,cuda"), by default all that are available.
std::vector<Device> devices();

/// Schedule seeds to run a case under: several on simt, one elsewhere.
std::vector<uint64_t> schedules(Device device);

/// How to fill inputs. `far_from_zero` (mean 100, spread 0.1) breaks one-pass variances; `integers` in [-4, 4] make
/// products and sums exact in f32 and bf16.
enum class Fill { normal, far_from_zero, constant, integers };

/// Device memory with guard zones that belongs to a test: a tensor-like buffer with host access.
class Buffer {
 public:
  Buffer(Device device, const Shape& shape, DType dtype);
  ~Buffer() = default;
  operator ConstView() const { return tensor_; }
  operator View() { return tensor_.view(); }
  const Shape& shape() const { return tensor_.shape(); }
  DType dtype() const { return tensor_.dtype(); }
  /// All elements as double (floating and integer types).
  std::vector<double> values() const;
  /// Writes values, rounded to the element type.
  void set(std::span<const double> values);

 private:
  std::shared_ptr<Allocator> allocator_;
  Tensor tensor_;
};

/// Random values, a pure function of shape, fill and seed; already rounded to `dtype`, so that a reference computes
/// from exactly what the kernel sees (read them back with values()).
Buffer data(Device device, const Shape& shape, DType dtype = DType::f32, Fill fill = Fill::normal, uint64_t seed = 1);
/// An output to be written: NaN inside (0xff bytes), guarded around.
Buffer poisoned(Device device, const Shape& shape, DType dtype = DType::f32);
/// Given values.
Buffer buffer(Device device, const Shape& shape, DType dtype, std::span<const double> values);

/// A stream, a pool allocator and a context, living together.
struct Bench {
  explicit Bench(Device device, DType compute = DType::f32, uint64_t schedule = 0);
  Stream stream;
  std::unique_ptr<Allocator> allocator;
  Ctx ctx;
  /// Deterministic normal values (seeded) as a tensor of the bench.
  Tensor normal(const Shape& shape, DType dtype, uint64_t seed) const;
};

/// Deterministic values for tests, independent of the library's own random numbers.
std::vector<double> normals(size_t count, uint64_t seed);

/// On simt: fails the test if no emulated thread ran on `stream` since it was made. Elsewhere nothing to assert.
void require_kernels_ran(Stream& stream);

}  // namespace ascore::test
