#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/core/dtype.hpp"
#include "kernels/core/shape.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace ascore {

/// A contiguous array in plain host memory, as files hold it. Owns its bytes.
struct HostTensor {
  Shape shape;
  DType dtype = DType::f32;
  std::vector<std::byte> bytes;

  HostTensor() = default;
  /// Zeros. Throws OutOfMemoryError.
  HostTensor(const Shape& shape, DType dtype);

  /// A copy of `values`. Throws ShapeError if their number is not shape.count().
  template <class T>
  static HostTensor from(std::span<const T> values, const Shape& shape) {
    return from_bytes(std::as_bytes(values), shape, dtype_of<T>);
  }
  template <class T>
  static HostTensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  /// `values` rounded to `dtype`.
  static HostTensor from_doubles(std::span<const double> values, const Shape& shape, DType dtype);

  int64_t count() const { return shape.count(); }
  /// The elements. Throws DTypeError if T is not the element type.
  template <class T>
  std::span<T> as() {
    require(dtype_of<T>);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <class T>
  std::span<const T> as() const {
    require(dtype_of<T>);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  /// The elements of any type, as double (exact for all but large 64-bit integers).
  std::vector<double> to_doubles() const;
  /// The same bytes and shape: floating values compare by their bits, so that NaN equals itself.
  bool operator==(const HostTensor& other) const = default;

 private:
  static HostTensor from_bytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype);
  void require(DType wanted) const;
};

/// No element is NaN or infinite; always true of integers.
bool all_finite(const HostTensor& x);

/// Copies to the context's device, dtype kept.
Tensor upload(const Ctx& ctx, const HostTensor& x, MemoryKind kind = MemoryKind::data);
/// Copies from the device to host memory, dtype kept, after what is queued on `stream` has finished.
HostTensor download(Stream& stream, const Tensor& x);

/// Moves the third-last dimension to the end: NCHW to NHWC, OIHW to OHWI, and with more outer dimensions likewise. How
/// arrays of PyTorch come into this house. An array of lower rank is returned as it is.
HostTensor channels_last(const HostTensor& x);
/// The inverse of channels_last: NHWC to NCHW, OHWI to OIHW.
HostTensor channels_first(const HostTensor& x);

}  // namespace ascore
