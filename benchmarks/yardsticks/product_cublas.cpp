#include "benchmarks/yardsticks/cuda_libraries.hpp"
#include "kernels/core/error.hpp"

#include <array>
#include <cublasLt.h>
#include <limits>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

constexpr size_t kWorkspaceBytes = 64u << 20;
constexpr int kCandidates = 16, kTrials = 3;

void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw DeviceError(fmt::format("{} failed: {}", call, cublasLtGetStatusString(status)));
}

cudaDataType_t data_type(DType dtype) {
  return dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// A product described to cuBLASLt, which counts columns first: its matrices are ours transposed, so that it computes
/// c^T = op(b)^T op(a)^T from the same memory.
class Plan {
 public:
  explicit Plan(const Product& p) : product_(p) {
    check(cublasLtCreate(&handle_), "cublasLtCreate");
    check(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
    set_transpose(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b);
    set_transpose(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a);
    first_ = layout(p.b);
    second_ = layout(p.a);
    result_ = layout(p.c);
  }
  ~Plan() {
    for (cublasLtMatrixLayout_t layout : {first_, second_, result_}) cublasLtMatrixLayoutDestroy(layout);
    cublasLtMatmulDescDestroy(operation_);
    cublasLtDestroy(handle_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  std::vector<cublasLtMatmulAlgo_t> candidates() const {
    cublasLtMatmulPreference_t preference;
    check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const size_t bytes = kWorkspaceBytes;
    std::array<cublasLtMatmulHeuristicResult_t, kCandidates> found{};
    int count = 0;
    cublasStatus_t status = cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                                 &bytes, sizeof(bytes));
    if (status == CUBLAS_STATUS_SUCCESS) {
      status = cublasLtMatmulAlgoGetHeuristic(handle_, operation_, first_, second_, result_, result_, preference,
                                              kCandidates, found.data(), &count);
    }
    cublasLtMatmulPreferenceDestroy(preference);
    check(status, "cublasLtMatmulAlgoGetHeuristic");
    std::vector<cublasLtMatmulAlgo_t> algorithms;
    for (int i = 0; i < count; ++i) {
      if (found[static_cast<size_t>(i)].state == CUBLAS_STATUS_SUCCESS) {
        algorithms.push_back(found[static_cast<size_t>(i)].algo);
      }
    }
    return algorithms;
  }

  void run(Stream& stream, const cublasLtMatmulAlgo_t& algorithm, const Tensor& workspace) const {
    const float one = 1, zero = 0;
    check(cublasLtMatmul(handle_, operation_, &one, ConstView(product_.b).raw(), first_, ConstView(product_.a).raw(),
                         second_, &zero, product_.c.view().raw(), result_, product_.c.view().raw(), result_, &algorithm,
                         workspace.view().raw(), kWorkspaceBytes, static_cast<cudaStream_t>(stream.native())),
          "cublasLtMatmul");
  }

 private:
  void set_transpose(cublasLtMatmulDescAttributes_t which, bool transpose) {
    const cublasOperation_t value = transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(cublasLtMatmulDescSetAttribute(operation_, which, &value, sizeof(value)), "cublasLtMatmulDescSetAttribute");
  }
  static cublasLtMatrixLayout_t layout(const Tensor& x) {
    cublasLtMatrixLayout_t layout;
    check(cublasLtMatrixLayoutCreate(&layout, data_type(x.dtype()), static_cast<uint64_t>(x.dim(1)),
                                     static_cast<uint64_t>(x.dim(0)), x.dim(1)),
          "cublasLtMatrixLayoutCreate");
    return layout;
  }

  Product product_;
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t first_ = nullptr, second_ = nullptr, result_ = nullptr;
};

}  // namespace

Yardstick cublas_product(Workbench& bench, const Product& product) {
  Product own = product;
  own.c = bench.empty(product.c.shape(), product.c.dtype());
  const auto plan = std::make_shared<Plan>(own);
  const Tensor workspace = bench.workspace(kWorkspaceBytes);
  Stream& stream = bench.stream();
  double shortest = std::numeric_limits<double>::infinity();
  std::function<void()> best;
  for (const cublasLtMatmulAlgo_t& algorithm : plan->candidates()) {
    const std::function<void()> run = [&stream, plan, algorithm, workspace] {
      plan->run(stream, algorithm, workspace);
    };
    bench.seconds(run);  // loads its kernel
    for (int trial = 0; trial < kTrials; ++trial) {
      if (const double seconds = bench.seconds(run); seconds < shortest) shortest = seconds, best = run;
    }
  }
  if (!best) return {"cuBLASLt has no algorithm"};
  return {"cuBLASLt", best, own.c};
}

std::string cublas_version() {
  return fmt::format("cuBLASLt {}", cublasLtGetVersion());
}

}  // namespace ascore::bench
