#pragma once

#include "engine/autograd/context.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace ascore::bench {

/// A tensor's elements on the host, widened one by one: large tensors are not held as f64.
class HostCopy {
 public:
  HostCopy(Ctx& ctx, const Tensor& x);
  double operator[](int64_t i) const;
  const Shape& shape() const { return shape_; }
  /// Element (n,h,w,c) of [N,H,W,C].
  double at(int64_t n, int64_t h, int64_t w, int64_t c) const {
    return (*this)[((n * shape_[1] + h) * shape_[2] + w) * shape_[3] + c];
  }

 private:
  std::vector<std::byte> bytes_;
  Shape shape_;
  DType dtype_;
};

/// Where an element of [N,H,W,C] is.
struct Position {
  int64_t n, h, w, c;
};
Position position(const Shape& nhwc, int64_t index);

/// What element i of a result should be, in f64.
using Reference = std::function<double(int64_t i)>;

/// Root mean square of result - reference over that of reference, at elements of [begin, end) chosen by a fixed seed
/// (end = 0: all of the tensor): 48 of them. Infinite if one is not finite.
double relative_error(Ctx& ctx, const Tensor& result, const Reference& reference, int64_t begin = 0, int64_t end = 0);

}  // namespace ascore::bench
