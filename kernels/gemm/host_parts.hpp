#pragma once

#include "kernels/core/view.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// A batch in parts, so that what the cpu sides of products copy (operands widened to f32) does not grow with it.
namespace ascore::kernels::cpu {

/// x[begin:end] along the first axis; an absent view stays absent.
template <class V>
V entries(const V& x, int64_t begin, int64_t end) {
  if (!x) return {};
  std::array<int64_t, Shape::kMaxRank> dims{};
  std::ranges::copy(x.shape().dims(), dims.begin());
  const int64_t entry = dims[0] > 0 ? x.count() / dims[0] : 0;
  dims[0] = end - begin;
  const Shape part(std::span<const int64_t>(dims.data(), x.shape().dims().size()));
  auto* const bytes = const_cast<std::byte*>(static_cast<const std::byte*>(x.raw()));
  return {bytes + static_cast<size_t>(begin * entry) * size_of(x.dtype()), part, x.dtype(), x.device()};
}

/// Calls body(begin, end) for parts of `count` entries in which `copied` bytes per entry come to about 4 MiB, one entry
/// at least; for all of them at once where nothing is copied. Depends on the sizes alone.
template <class Body>
void for_parts(int64_t count, size_t copied, const Body& body) {
  constexpr size_t kCopied = size_t{4} << 20;
  const int64_t most = copied == 0 ? count : std::max<int64_t>(1, static_cast<int64_t>(kCopied / copied));
  for (int64_t begin = 0; begin < count; begin += most) body(begin, std::min(begin + most, count));
}

}  // namespace ascore::kernels::cpu
