#pragma once

#include "kernels/conv2d/conv2d_finish.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/core/view.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// A batch in parts, so that what the cpu's convolutions copy (operands widened to f32) does not grow with it.
namespace ascore::kernels::cpu {

/// Images [begin, end) of [N,...]; an absent view stays absent.
template <class V>
V images(const V& x, int64_t begin, int64_t end) {
  if (!x) return {};
  std::array<int64_t, Shape::kMaxRank> dims{};
  std::ranges::copy(x.shape().dims(), dims.begin());
  const int64_t image = dims[0] > 0 ? x.count() / dims[0] : 0;
  dims[0] = end - begin;
  const Shape part(std::span<const int64_t>(dims.data(), x.shape().dims().size()));
  auto* const bytes = const_cast<std::byte*>(static_cast<const std::byte*>(x.raw()));
  return {bytes + static_cast<size_t>(begin * image) * size_of(x.dtype()), part, x.dtype(), x.device()};
}

inline Finish images(const Finish& finish, int64_t begin, int64_t end) {
  Finish part = finish;
  part.kept = images(finish.kept, begin, end);
  part.residual = images(finish.residual, begin, end);
  part.sum = images(finish.sum, begin, end);
  return part;
}

/// Calls body(sizes of the part, begin, end) for parts of a batch in which `copied` bytes per image come to about
/// 4 MiB, one image at least; for all of it at once where nothing is copied. Depends on the sizes alone.
template <class Body>
void for_parts(const Conv2dShape& shape, size_t copied, const Body& body) {
  constexpr size_t kCopied = size_t{4} << 20;
  const int64_t most = copied == 0 ? shape.images : std::max<int64_t>(1, static_cast<int64_t>(kCopied / copied));
  for (int64_t begin = 0; begin < shape.images; begin += most) {
    const int64_t end = std::min<int64_t>(begin + most, shape.images);
    Conv2dShape part = shape;
    part.images = static_cast<int>(end - begin);
    body(part, begin, end);
  }
}

}  // namespace ascore::kernels::cpu
