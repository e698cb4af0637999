#pragma once

#include "kernels/core/device.hpp"
#include "kernels/core/dtype.hpp"
#include "kernels/core/shape.hpp"

#include <cstddef>
#include <cstdint>

namespace ascore {

/// Contiguous, typed memory on a device, not owned, read only. A default-constructed view is *absent*: it stands for an
/// optional argument that is not given (no bias, no wanted gradient). Kernels see memory only through views.
class ConstView {
 public:
  ConstView() = default;
  ConstView(const void* data, const Shape& shape, DType dtype, Device device, uint64_t content_stamp = 0)
      : data_(const_cast<void*>(data)),
        shape_(shape),
        dtype_(dtype),
        device_(device),
        stamp_(content_stamp),
        present_(true) {}

  /// False for an absent view. A present view may still have no elements.
  bool present() const { return present_; }
  explicit operator bool() const { return present_; }

  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_.dim(i); }
  /// Number of elements; 0 for an absent view.
  int64_t count() const { return present_ ? shape_.count() : 0; }
  size_t bytes() const { return static_cast<size_t>(count()) * size_of(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }
  const void* raw() const { return data_; }

  /// Identifies the content where it changes rarely (parameters): equal non-zero stamps mean equal bytes, so that
  /// repacked weights can be kept. 0: unknown, never cache.
  uint64_t content_stamp() const { return stamp_; }

  /// Typed pointer; null for an absent view. Throws DTypeError if T is not the element type.
  template <class T>
  const T* as() const {
    check_dtype(dtype_of<T>);
    return static_cast<const T*>(data_);
  }

 protected:
  void check_dtype(DType wanted) const;

  void* data_ = nullptr;
  Shape shape_;
  DType dtype_ = DType::f32;
  Device device_ = Device::cpu;
  uint64_t stamp_ = 0;
  bool present_ = false;
};

/// A view that may be written through.
class View : public ConstView {
 public:
  View() = default;
  View(void* data, const Shape& shape, DType dtype, Device device) : ConstView(data, shape, dtype, device) {}

  void* raw() const { return data_; }
  template <class T>
  T* as() const {
    check_dtype(dtype_of<T>);
    return static_cast<T*>(data_);
  }
};

}  // namespace ascore
