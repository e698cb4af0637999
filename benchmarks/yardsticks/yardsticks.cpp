// Which library stands beside an operation on which device.
#include "benchmarks/yardsticks/yardsticks.hpp"

#include "benchmarks/yardsticks/cuda_libraries.hpp"
#include "benchmarks/yardsticks/eigen_yardsticks.hpp"
#include "kernels/linear/linear.hpp"

#include <algorithm>
#include <limits>

namespace ascore::bench {

namespace {

/// `on_cpu` in f32, `on_cuda` if the build has its library, else a word on why there is none.
template <class OnCpu, class OnCuda>
Yardstick choose(Workbench& bench, DType dtype, bool cuda_library, OnCpu on_cpu, OnCuda on_cuda) {
  switch (bench.stream().device()) {
    case Device::cpu:
      return dtype == DType::f32 ? on_cpu() : Yardstick{"plain Eigen: f32 only"};
    case Device::cuda:
      return cuda_library ? on_cuda() : Yardstick{"library not built in"};
    case Device::simt:
      break;
  }
  return {"none on an emulated device"};
}

constexpr int kCeilingRuns = 5;

double shortest(Workbench& bench, const std::function<void()>& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run <= kCeilingRuns; ++run) {
    const double seconds = bench.seconds(work);
    if (run > 0) best = std::min(best, seconds);
  }
  return best;
}

}  // namespace

Yardstick conv2d_yardstick(Workbench& bench, const ConvOperands& operands) {
  return choose(
      bench, operands.x.dtype(), kCudnnBuilt, [&] { return eigen_conv2d(bench, operands); },
      [&]() -> Yardstick {
        if constexpr (kCudnnBuilt) return cudnn_conv2d(bench, operands);
        return {};
      });
}

Yardstick product_yardstick(Workbench& bench, const Product& product) {
  return choose(
      bench, product.a.dtype(), kCublasBuilt, [&] { return eigen_product(bench, product); },
      [&]() -> Yardstick {
        if constexpr (kCublasBuilt) return cublas_product(bench, product);
        return {};
      });
}

Yardstick attention_yardstick(Workbench& bench, const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  if (bench.stream().device() == Device::cuda) return {"PyTorch's: benchmarks/peers/attention.py"};
  return choose(
      bench, q.dtype(), false, [&] { return eigen_attention(bench, q, k, v, scale); }, [] { return Yardstick{}; });
}

Yardstick copy_yardstick(Workbench& bench, double bytes) {
  if (bench.stream().device() == Device::simt) return {"none on an emulated device"};
  const int64_t half = std::max<int64_t>(1, static_cast<int64_t>(bytes / 2));
  const Tensor from = bench.zeros({half}, DType::u8), to = bench.zeros({half}, DType::u8);
  Stream& stream = bench.stream();
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) return {"copy", [&stream, from, to] { cuda_copy(stream, from, to.view()); }};
  }
  return {"copy", [&stream, from, to] { parallel_copy(stream, from, to.view()); }};
}

Ceilings measure_ceilings(Workbench& bench) {
  Stream& stream = bench.stream();
  if (stream.device() == Device::simt) return {};
  const bool gpu = stream.device() == Device::cuda;
  const double bytes = gpu ? 512e6 : 128e6;
  const double copy_seconds = shortest(bench, copy_yardstick(bench, bytes).run);

  const int64_t n = gpu ? (bench.options().dtype == DType::bf16 ? 8192 : 4096) : 1024;
  const Tensor a = bench.normal({n, n}, bench.options().dtype), b = bench.normal({n, n}, bench.options().dtype);
  const Tensor c = bench.empty({n, n}, bench.options().dtype);
  double product_seconds = shortest(bench, [&] { kernels::linear(stream, a, b, {}, c.view()); });
  const Yardstick library = product_yardstick(bench, {.a = a, .b = b, .c = c, .transpose_b = true});
  if (library.run) product_seconds = std::min(product_seconds, shortest(bench, library.run));
  const double side = static_cast<double>(n);
  return {.flops = 2 * side * side * side / product_seconds, .bytes = bytes / copy_seconds};
}

std::string yardstick_versions(Device device) {
  switch (device) {
    case Device::cpu:
      return eigen_version();
    case Device::cuda:
      if constexpr (kCudaBuilt) return cuda_library_versions();
      break;
    case Device::simt:
      break;
  }
  return "none";
}

}  // namespace ascore::bench
