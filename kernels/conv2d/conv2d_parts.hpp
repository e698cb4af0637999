#pragma once

#include "kernels/conv2d/conv2d_finish.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/gemm/host_parts.hpp"

#include <cstddef>
#include <cstdint>

/// Batches of images in parts.
namespace ascore::kernels::cpu {

/// Images [begin, end) of [N,...]; an absent view stays absent.
template <class V>
V images(const V& x, int64_t begin, int64_t end) {
  return entries(x, begin, end);
}

inline Finish images(const Finish& finish, int64_t begin, int64_t end) {
  Finish part = finish;
  part.kept = entries(finish.kept, begin, end);
  part.residual = entries(finish.residual, begin, end);
  part.sum = entries(finish.sum, begin, end);
  part.runs = entries(finish.runs, begin, end);
  return part;
}

/// Calls body(sizes of the part, begin, end) for the parts of a batch in which `copied` bytes per image are copied.
template <class Body>
void for_parts(const Conv2dShape& shape, size_t copied, const Body& body) {
  for_parts(int64_t{shape.images}, copied, [&](int64_t begin, int64_t end) {
    Conv2dShape part = shape;
    part.images = static_cast<int>(end - begin);
    body(part, begin, end);
  });
}

}  // namespace ascore::kernels::cpu
