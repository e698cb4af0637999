#pragma once

#include "benchmarks/measure/workbench.hpp"

#include <functional>
#include <string>
#include <vector>

namespace ascore::bench {

/// What an operation is measured against: the same work by a library, into `result`. Without `run` there is none, and
/// `name` says why.
struct Yardstick {
  std::string name;
  std::function<void()> run = {};
  Tensor result = {};
};

/// An operation at one shape, its memory allocated and filled.
struct Subject {
  std::function<void()> run;  ///< queues the operation
  Tensor result;              ///< what run() writes and `error` looks at
  /// Relative error of such a result against f64. Called after the first run.
  std::function<double(const Tensor& result)> error;
  double allowed = 0;  ///< error above which the result is wrong
  Yardstick yardstick = {};
};

/// A row of the table. flops and bytes: of one run, every operand moved once.
struct Case {
  std::string name;  ///< operation/network/shape/dtype
  double flops = 0, bytes = 0;
  std::function<Subject(Workbench&)> prepare;
};
using Cases = std::vector<Case>;

/// The error that rounding to `dtype` and sums in f32 explain.
inline double rounding_error(DType dtype) {
  return dtype == DType::bf16 ? 1e-2 : 1e-4;
}

/// All operations of one kind over the shapes of the networks, appended to `cases`.
void add_conv2d_cases(const KernelOptions& options, Cases& cases);
void add_linear_cases(const KernelOptions& options, Cases& cases);
void add_attention_cases(const KernelOptions& options, Cases& cases);
void add_norm_cases(const KernelOptions& options, Cases& cases);
void add_resampling_cases(const KernelOptions& options, Cases& cases);
void add_critic_cases(const KernelOptions& options, Cases& cases);
void add_pointwise_cases(const KernelOptions& options, Cases& cases);
void add_sampling_cases(const KernelOptions& options, Cases& cases);
void add_update_cases(const KernelOptions& options, Cases& cases);

}  // namespace ascore::bench
