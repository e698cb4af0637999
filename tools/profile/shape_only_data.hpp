#pragma once

#include "engine/data/dataset.hpp"

#include <algorithm>

namespace ascore::tools {

/// Training samples of a shape, all zeros: what a dry run reads.
class ShapeOnlyData final : public Dataset {
 public:
  ShapeOnlyData(const Shape& sample, int64_t size) : Dataset(sample, {}, 0), size_(size) {}
  int64_t size(Split split) const override { return split == Split::train ? size_ : 0; }
  int64_t label(Split, int64_t) const override { return 0; }

 private:
  void load(Split, int64_t, float* out) const override { std::fill_n(out, sample_shape().count(), 0.0f); }
  int64_t size_;
};

}  // namespace ascore::tools
