#pragma once

#include "engine/tensor/tensor.hpp"
#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"

#include <initializer_list>
#include <span>
#include <vector>

namespace ascore {

class Tape;

/// What every differentiable operation and every module's forward takes first: where to run, where to get memory, and
/// whether to remember. Without a tape nothing is kept for backward (inference).
struct Ctx {
  Stream& stream;
  Allocator& allocator;
  Tape* tape = nullptr;
  /// Training mode: spectral-norm vectors and running statistics advance, dropout drops.
  bool training = false;
  /// Type that activations of networks are computed in (f32, bf16; f64 on cpu). Parameters are f32 (f64 with f64).
  DType compute = DType::f32;
  /// Randomness of layers that draw (dropout).
  NoiseKey random{};

  Tensor empty(const Shape& shape, DType dtype, MemoryKind kind = MemoryKind::activations) const;
  Tensor empty_like(const Tensor& x) const { return empty(x.shape(), x.dtype()); }
  Tensor zeros(const Shape& shape, DType dtype, MemoryKind kind = MemoryKind::activations) const;
  /// f64 values in device memory, as kernels take scalars that change from step to step. The stream is synchronised.
  Tensor scalars(std::span<const double> values) const;
  Tensor scalars(std::initializer_list<double> values) const {
    return scalars(std::span(values.begin(), values.size()));
  }
  /// f32 or f64 host values as a tensor of `dtype` (f32 or f64).
  Tensor from_host(std::span<const double> values, const Shape& shape, DType dtype) const;
  /// All elements as double (f64, f32, bf16 tensors), after synchronising.
  std::vector<double> to_host(const Tensor& x) const;
  /// The same context without a tape.
  Ctx detached() const {
    Ctx ctx = *this;
    ctx.tape = nullptr;
    return ctx;
  }
};

}  // namespace ascore
