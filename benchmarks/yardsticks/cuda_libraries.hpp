#pragma once

#include "benchmarks/yardsticks/yardsticks.hpp"

namespace ascore::bench {

/// Which of NVIDIA's libraries cmake found. What is absent is never called.
#ifdef ASCORE_BENCH_CUDNN
inline constexpr bool kCudnnBuilt = true;
#else
inline constexpr bool kCudnnBuilt = false;
#endif
#ifdef ASCORE_BENCH_CUBLAS
inline constexpr bool kCublasBuilt = true;
#else
inline constexpr bool kCublasBuilt = false;
#endif

/// The fastest of cuDNN's engines for the pass, f32 sums; f32 operands are multiplied as such, not as tf32.
Yardstick cudnn_conv2d(Workbench& bench, const ConvOperands& operands);
std::string cudnn_version();

/// The fastest of the algorithms that cuBLASLt proposes; f32 sums, f32 operands as such.
Yardstick cublas_product(Workbench& bench, const Product& product);
std::string cublas_version();

/// Queues a copy between two arrays of one size on the device.
void cuda_copy(Stream& stream, ConstView from, View to);
/// Name of the GPU, driver and runtime, and the versions of the libraries above.
std::string cuda_library_versions();

}  // namespace ascore::bench
