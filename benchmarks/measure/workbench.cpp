#include "benchmarks/measure/workbench.hpp"

#include "kernels/cast/cast.hpp"
#include "kernels/random_fill/random_fill.hpp"

namespace ascore::bench {

Workbench::Workbench(const KernelOptions& options)
    : options_(options),
      stream_(options.device, {.threads = options.threads}),
      allocator_(make_pool_allocator(options.device)),
      ctx_{stream_, *allocator_},
      timer_(make_timer(stream_)) {}

Tensor Workbench::normal(const Shape& shape, DType dtype) {
  const Tensor exact = empty(shape, DType::f32);
  kernels::random_normal(stream_, {.seed = ++draws_}, 0, 1, exact.view());
  exact.mark_changed();
  if (dtype == DType::f32) return exact;
  const Tensor rounded = empty(shape, dtype);
  kernels::cast(stream_, exact, rounded.view());
  rounded.mark_changed();
  return rounded;
}

Tensor Workbench::workspace(size_t bytes) {
  if (bytes == 0) return {};
  return ctx_.empty({static_cast<int64_t>(bytes)}, DType::u8, MemoryKind::workspace);
}

}  // namespace ascore::bench
