#pragma once

#include "engine/tensor/allocator.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>
#include <memory>

namespace ascore {

/// A contiguous, typed array on a device: a cheap handle, copies share memory and identity. Layout of images is NHWC,
/// of convolution weights [out][kh][kw][in]. A default-constructed tensor is absent and turns into an absent view.
class Tensor {
 public:
  Tensor() = default;
  /// A tensor over `storage` starting `offset` bytes in. Throws ShapeError if it does not fit.
  Tensor(std::shared_ptr<Storage> storage, size_t offset, const Shape& shape, DType dtype);

  bool present() const { return impl_ != nullptr; }
  explicit operator bool() const { return present(); }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  int64_t dim(int i) const { return shape().dim(i); }
  int64_t count() const { return present() ? shape().count() : 0; }
  size_t bytes() const { return static_cast<size_t>(count()) * size_of(dtype()); }
  DType dtype() const;
  Device device() const;

  operator ConstView() const;
  operator View();
  /// A writable view of a const handle: the handle is const, not the memory.
  View view() const;

  /// Identity for the tape: equal for copies of one handle, different for reshaped or sliced ones. 0 if absent.
  uint64_t id() const;
  const std::shared_ptr<Storage>& storage() const;

  /// The same memory under another shape of equal count, without gradient history (see ascore::reshape in
  /// engine/autograd/operations.hpp for the differentiable one). Throws ShapeError.
  Tensor alias(const Shape& shape) const;
  /// Rows [begin, end) of the outermost dimension, sharing memory, without gradient history.
  Tensor rows(int64_t begin, int64_t end) const;

  /// Stamp of the content (ConstView::content_stamp). `mark_changed` draws a new one after the memory was written:
  /// called by whoever updates parameters.
  void mark_changed() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ascore
