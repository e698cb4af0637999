#include "kernels/core/cuda_runtime.hpp"

#include "kernels/core/cuda_check.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"

#include <string>

#include <fmt/core.h>

namespace ascore::kernels::cuda {

void throw_cuda_error(cudaError_t error, const char* call, const Stream* stream) {
  const std::string where = stream && stream->current_op() ? stream->current_op()->describe() + ": " : "";
  const std::string what = fmt::format("{}{} failed: {}", where, call, cudaGetErrorString(error));
  if (error == cudaErrorMemoryAllocation) throw OutOfMemoryError(what);
  throw DeviceError(what);
}

const char* why_unavailable() {
  static const std::string reason = [] {
    int devices = 0;
    const cudaError_t error = cudaGetDeviceCount(&devices);
    if (error != cudaSuccess) return std::string(cudaGetErrorString(error));
    return devices == 0 ? std::string("no CUDA device is present") : std::string();
  }();
  return reason.c_str();
}

int device_count() {
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  return devices;
}

void use_device(int number) {
  check(cudaSetDevice(number), "cudaSetDevice");
}

void* create_stream() {
  cudaStream_t stream;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return stream;
}

void destroy_stream(void* stream) noexcept {
  cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}

void synchronize(void* stream) {
  check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)), "cudaStreamSynchronize");
}

namespace {
/// While it lives, this thread may allocate although one of its streams is being captured: memory of a captured step
/// comes from an arena that outlives the graph, so that nothing about the allocation has to be repeated.
class AllocationAllowed {
 public:
  AllocationAllowed() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~AllocationAllowed() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  AllocationAllowed(const AllocationAllowed&) = delete;
  AllocationAllowed& operator=(const AllocationAllowed&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};
}  // namespace

void* allocate(size_t bytes) {
  const AllocationAllowed allowed;
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), "cudaMalloc");
  return memory;
}

void release(void* memory) noexcept {
  const AllocationAllowed allowed;
  cudaFree(memory);
}

void copy_bytes(void* stream, void* to, const void* from, size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, static_cast<cudaStream_t>(stream)), "cudaMemcpyAsync");
}

void set_bytes(void* stream, void* to, unsigned char value, size_t bytes) {
  check(cudaMemsetAsync(to, value, bytes, static_cast<cudaStream_t>(stream)), "cudaMemsetAsync");
}

DeviceMemory memory() {
  DeviceMemory result = {};
  check(cudaMemGetInfo(&result.free, &result.total), "cudaMemGetInfo");
  return result;
}

void* record_event(void* stream) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "cudaEventCreate");
  check(cudaEventRecord(event, static_cast<cudaStream_t>(stream)), "cudaEventRecord");
  return event;
}

double seconds_between(void* from, void* to) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(from), static_cast<cudaEvent_t>(to)),
        "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

void destroy_event(void* event) noexcept {
  cudaEventDestroy(static_cast<cudaEvent_t>(event));
}

void* create_order_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return event;
}

void order_after(void* event, void* earlier, void* later) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<cudaStream_t>(earlier)), "cudaEventRecord");
  check(cudaStreamWaitEvent(static_cast<cudaStream_t>(later), static_cast<cudaEvent_t>(event), 0),
        "cudaStreamWaitEvent");
}

void begin_capture(void* stream) {
  check(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream), cudaStreamCaptureModeThreadLocal),
        "cudaStreamBeginCapture");
}

CapturedGraph end_capture(void* stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &graph), "cudaStreamEndCapture");
  CapturedGraph captured = {};
  cudaGraphExec_t executable = nullptr;
  const cudaError_t counted = cudaGraphGetNodes(graph, nullptr, &captured.nodes);
  const cudaError_t made = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(counted, "cudaGraphGetNodes");
  check(made, "cudaGraphInstantiate");
  captured.executable = executable;
  return captured;
}

void abandon_capture(void* stream) noexcept {
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &graph);
  if (graph) cudaGraphDestroy(graph);
  cudaGetLastError();  // that the capture broke off has been told by whoever broke it
}

void launch_graph(void* executable, void* stream) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(executable), static_cast<cudaStream_t>(stream)),
        "cudaGraphLaunch");
}

void destroy_graph(void* executable) noexcept {
  cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable));
}

}  // namespace ascore::kernels::cuda
