// Counts what this process starts on the GPU. The program is linked with --wrap (benchmarks/CMakeLists.txt): calls of
// these functions of the runtime come here first.
#include "benchmarks/steps/round_timer.hpp"

#include <atomic>
#include <cuda_runtime.h>

namespace {
std::atomic<uint64_t> launches = 0;
}

extern "C" {

cudaError_t __real_cudaLaunchKernel(const void*, dim3, dim3, void**, size_t, cudaStream_t);
cudaError_t __wrap_cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared,
                                    cudaStream_t stream) {
  ++launches;
  return __real_cudaLaunchKernel(function, grid, block, arguments, shared, stream);
}

cudaError_t __real_cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void*, void**);
cudaError_t __wrap_cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  ++launches;
  return __real_cudaLaunchKernelExC(config, function, arguments);
}

cudaError_t __real_cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);
cudaError_t __wrap_cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  ++launches;
  return __real_cudaGraphLaunch(graph, stream);
}
}

namespace ascore::bench {

uint64_t cuda_launches() {
  return launches;
}

}  // namespace ascore::bench
