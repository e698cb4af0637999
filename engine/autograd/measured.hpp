#pragma once

#include "engine/autograd/activated.hpp"

namespace ascore {

/// Images [N,H,W,C] for an operation that begins with the moments of their channels, and what their producer measured
/// as it stored them: then the operation reads them once less.
struct Measured {
  Tensor images;
  Tensor runs{};  ///< their run moments (kernels/core/run_moments.hpp), or absent

  Measured() = default;
  Measured(const Tensor& x) : images(x) {}
  Measured(const Tensor& x, const Tensor& run_moments) : images(x), runs(run_moments) {}

  /// What f was taken of, where the producer kept it.
  static Measured raw(const Activated& pair) { return {pair.raw, pair.runs}; }
};

}  // namespace ascore
