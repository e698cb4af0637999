// Copies on the device, and what the device and the libraries beside it are.
#include "benchmarks/yardsticks/cuda_libraries.hpp"
#include "kernels/core/cuda_check.hpp"

#include <cuda_runtime.h>

#include <fmt/format.h>

namespace ascore::bench {

using kernels::cuda::check;

void cuda_copy(Stream& stream, ConstView from, View to) {
  check(cudaMemcpyAsync(to.raw(), from.raw(), from.bytes(), cudaMemcpyDeviceToDevice,
                        static_cast<cudaStream_t>(stream.native())),
        "cudaMemcpyAsync");
}

std::string cuda_library_versions() {
  int device = 0, driver = 0, runtime = 0;
  cudaDeviceProp properties{};
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  std::string versions = fmt::format("{}, driver for CUDA {}.{}, runtime {}.{}", properties.name, driver / 1000,
                                     driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
  if constexpr (kCudnnBuilt) versions += ", " + cudnn_version();
  if constexpr (kCublasBuilt) versions += ", " + cublas_version();
  return versions;
}

}  // namespace ascore::bench
