// cuDNN's convolutions through its graph API (the backend descriptors of version 9): every engine that its heuristics
// name is tried, the fastest stands beside ours.
#include "benchmarks/yardsticks/cuda_libraries.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <array>
#include <cudnn.h>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

using kernels::Conv2dPass;

constexpr int64_t kMostWorkspace = int64_t{1} << 30;
constexpr int kMostEngines = 10, kTrials = 3;  // the heuristics name the likeliest first
enum Id : int64_t { kX = 1, kWeight = 2, kY = 3 };

void check(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS)
    throw DeviceError(fmt::format("{} failed: {}", call, cudnnGetErrorString(status)));
}

/// The handle of a stream, made on first use.
struct Handle {
  Handle() { check(cudnnCreate(&handle), "cudnnCreate"); }
  ~Handle() { cudnnDestroy(handle); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  cudnnHandle_t handle = nullptr;
};

/// A backend descriptor: attributes are set, then it is finalized.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &descriptor_), "cudnnBackendCreateDescriptor");
  }
  ~Descriptor() {
    if (descriptor_) cudnnBackendDestroyDescriptor(descriptor_);
  }
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  cudnnBackendDescriptor_t get() const { return descriptor_; }
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void* values) {
    check(cudnnBackendSetAttribute(descriptor_, name, type, count, values), "cudnnBackendSetAttribute");
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other.descriptor_);
  }
  void set(cudnnBackendAttributeName_t name, int64_t value) { set(name, CUDNN_TYPE_INT64, 1, &value); }
  template <size_t N>
  void set(cudnnBackendAttributeName_t name, const std::array<int64_t, N>& values) {
    set(name, CUDNN_TYPE_INT64, N, values.data());
  }
  /// How many values of the attribute were read.
  int64_t read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t room, void* values) const {
    int64_t count = 0;
    check(cudnnBackendGetAttribute(descriptor_, name, type, room, &count, values), "cudnnBackendGetAttribute");
    return count;
  }
  bool try_finalize() { return cudnnBackendFinalize(descriptor_) == CUDNN_STATUS_SUCCESS; }
  void finalize() { check(cudnnBackendFinalize(descriptor_), "cudnnBackendFinalize"); }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

cudnnDataType_t data_type(DType dtype) {
  return dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/// [N,H,W,C] or [O,k,k,I] as cuDNN names them, N C H W, with the strides of the memory as it is.
Descriptor tensor(Id id, const Tensor& x) {
  const int64_t n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  Descriptor descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const cudnnDataType_t type = data_type(x.dtype());
  descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
  descriptor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::array<int64_t, 4>{n, c, h, w});
  descriptor.set(CUDNN_ATTR_TENSOR_STRIDES, std::array<int64_t, 4>{h * w * c, 1, w * c, c});
  descriptor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  descriptor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16);
  descriptor.finalize();
  return descriptor;
}

Descriptor convolution(const ConvOperands& o) {
  const int64_t dilation = o.options.dilation, stride = o.options.stride;
  const int64_t padding = dilation * ((o.weight.dim(1) - 1) / 2);
  const cudnnDataType_t sums = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  Descriptor descriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::array<int64_t, 2>{dilation, dilation});
  descriptor.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, std::array<int64_t, 2>{stride, stride});
  descriptor.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, std::array<int64_t, 2>{padding, padding});
  descriptor.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, std::array<int64_t, 2>{padding, padding});
  descriptor.finalize();
  return descriptor;
}

/// What the three passes call their operands.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t x, weight, y, convolution, alpha, beta;
};
Names names(Conv2dPass pass) {
  switch (pass) {
    case Conv2dPass::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case Conv2dPass::dgrad:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case Conv2dPass::wgrad:
      break;
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
}

/// The operation as a graph of one node.
Descriptor graph(cudnnHandle_t handle, const ConvOperands& o) {
  const Names name = names(o.pass);
  const float one = 1, zero = 0;
  const Descriptor x = tensor(kX, o.x), weight = tensor(kWeight, o.weight), y = tensor(kY, o.y);
  const Descriptor conv = convolution(o);
  Descriptor operation(name.operation);
  operation.set(name.x, x);
  operation.set(name.weight, weight);
  operation.set(name.y, y);
  operation.set(name.convolution, conv);
  operation.set(name.alpha, CUDNN_TYPE_FLOAT, 1, &one);
  operation.set(name.beta, CUDNN_TYPE_FLOAT, 1, &zero);
  operation.finalize();
  Descriptor descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
  descriptor.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  descriptor.finalize();
  return descriptor;
}

/// Engines that the heuristics name for the graph, best guess first. None if they know none.
std::vector<Descriptor> engine_configs(const Descriptor& graph, cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  if (!heuristics.try_finalize()) return {};
  const int64_t room = heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<Descriptor> configs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < room; ++i) raw.push_back(configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  const int64_t found = heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, room, raw.data());
  while (static_cast<int64_t>(configs.size()) > found) configs.pop_back();
  return configs;
}

/// True for an engine that rounds f32 operands to tf32.
bool uses_tensor_cores(const Descriptor& config) {
  const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  config.read(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  const int64_t count = engine.read(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                    CUDNN_NUMERICAL_NOTE_TYPE_COUNT, notes.data());
  return std::find(notes.begin(), notes.begin() + count, CUDNN_NUMERICAL_NOTE_TENSOR_CORE) != notes.begin() + count;
}

/// An engine made ready for the operands' memory.
struct Plan {
  Descriptor plan, memory;
  Tensor workspace;
};

/// Null where the engine does not support the operation after all, or wants too much memory.
std::shared_ptr<Plan> make_plan(Workbench& bench, cudnnHandle_t handle, const ConvOperands& o,
                                const Descriptor& config) {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
  if (!plan.try_finalize()) return nullptr;
  int64_t bytes = 0;
  plan.read(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
  if (bytes > kMostWorkspace) return nullptr;
  const Tensor workspace = bench.workspace(static_cast<size_t>(std::max<int64_t>(bytes, 1)));
  const std::array<int64_t, 3> ids = {kX, kWeight, kY};
  const std::array<void*, 3> pointers = {o.x.view().raw(), o.weight.view().raw(), o.y.view().raw()};
  void* scratch = workspace.view().raw();
  Descriptor memory(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  memory.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
  memory.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3, pointers.data());
  memory.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &scratch);
  memory.finalize();
  return std::make_shared<Plan>(Plan{std::move(plan), std::move(memory), workspace});
}

/// The fastest engine for these operands; no run() if there is none.
Yardstick fastest(Workbench& bench, const ConvOperands& o, const Tensor& result) {
  const cudnnHandle_t handle = bench.stream().attached<Handle>().handle;
  check(cudnnSetStream(handle, static_cast<cudaStream_t>(bench.stream().native())), "cudnnSetStream");
  const Descriptor operation = graph(handle, o);
  double shortest = std::numeric_limits<double>::infinity();
  std::function<void()> best;
  const auto try_engines = [&](cudnnBackendHeurMode_t mode) {
    int tried = 0;
    for (const Descriptor& config : engine_configs(operation, mode)) {
      if (tried == kMostEngines) break;
      if (o.x.dtype() == DType::f32 && uses_tensor_cores(config)) continue;
      const std::shared_ptr<Plan> plan = make_plan(bench, handle, o, config);
      if (!plan || cudnnBackendExecute(handle, plan->plan.get(), plan->memory.get()) != CUDNN_STATUS_SUCCESS) continue;
      ++tried;
      const std::function<void()> run = [handle, plan, o] {
        check(cudnnBackendExecute(handle, plan->plan.get(), plan->memory.get()), "cudnnBackendExecute");
      };
      for (int trial = 0; trial < kTrials; ++trial) {
        if (const double seconds = bench.seconds(run); seconds < shortest) shortest = seconds, best = run;
      }
    }
  };
  try_engines(CUDNN_HEUR_MODE_A);
  if (!best) try_engines(CUDNN_HEUR_MODE_FALLBACK);
  if (!best) return {"cuDNN has no engine"};
  return {"cuDNN", best, result};
}

}  // namespace

Yardstick cudnn_conv2d(Workbench& bench, const ConvOperands& operands) {
  ConvOperands own = operands;
  const auto separate = [&](Tensor& result, DType dtype) { result = bench.empty(result.shape(), dtype); };
  switch (operands.pass) {
    case Conv2dPass::forward:
      separate(own.y, operands.y.dtype());
      return fastest(bench, own, own.y);
    case Conv2dPass::dgrad:
      separate(own.x, operands.x.dtype());
      return fastest(bench, own, own.x);
    case Conv2dPass::wgrad:
      break;
  }
  // Gradients in f32 as ours, or, where no engine writes those, in the operands' type as frameworks take them.
  for (const DType dtype : {DType::f32, operands.x.dtype()}) {
    separate(own.weight, dtype);
    if (Yardstick found = fastest(bench, own, own.weight); found.run) return found;
  }
  return {"cuDNN has no engine"};
}

std::string cudnn_version() {
  const size_t version = cudnnGetVersion();
  return fmt::format("cuDNN {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace ascore::bench
