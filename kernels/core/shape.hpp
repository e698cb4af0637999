#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace ascore {

/// Dimensions of a contiguous array, outermost first; rank 0 is a scalar. Holds its values inline: never allocates.
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  constexpr Shape() = default;
  /// Throws ShapeError if there are more than kMaxRank dimensions or one is negative.
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  /// Dimension i; negative i counts from the innermost (-1). Throws ShapeError out of range.
  int64_t dim(int i) const;
  int64_t operator[](int i) const { return dim(i); }
  /// Number of elements: the product of the dimensions, 1 for a scalar.
  int64_t count() const;
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  bool operator==(const Shape& other) const;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// "[2,3,32,32]", as errors and logs print shapes.
std::string to_string(const Shape& shape);

}  // namespace ascore
