#include "kernels/core/shape.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

Shape::Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  if (dims.size() > kMaxRank) throw ShapeError(fmt::format("shape of rank {}: at most {}", dims.size(), kMaxRank));
  for (int64_t d : dims) {
    if (d < 0) throw ShapeError(fmt::format("shape [{}]: negative dimension", fmt::join(dims, ",")));
  }
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

int64_t Shape::dim(int i) const {
  const int index = i < 0 ? i + rank_ : i;
  if (index < 0 || index >= rank_) throw ShapeError(fmt::format("dimension {} of shape {}", i, to_string(*this)));
  return dims_[static_cast<size_t>(index)];
}

int64_t Shape::count() const {
  int64_t count = 1;
  for (int64_t d : dims()) count *= d;
  return count;
}

bool Shape::operator==(const Shape& other) const {
  return std::ranges::equal(dims(), other.dims());
}

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape.dims(), ","));
}

}  // namespace ascore
