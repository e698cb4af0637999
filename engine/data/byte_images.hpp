#pragma once

#include "engine/data/dataset.hpp"

#include <array>
#include <vector>

namespace ascore {

/// Images of one split, as bytes.
struct ByteImages {
  std::vector<uint8_t> pixels;  ///< [N,H,W,C]
  std::vector<uint8_t> labels;  ///< [N]
};

/// A data set as its files hold it.
struct ByteImageSplits {
  Shape sample_shape;  ///< [H,W,C]
  ByteImages train, test;
};

/// Images held in memory as bytes, 0 to `white`; read as value / white.
class ByteImageDataset final : public Dataset {
 public:
  ByteImageDataset(const Shape& sample_shape, ByteImages train, ByteImages test, float white,
                   const Preparation& preparation, uint64_t seed);
  int64_t size(Split split) const override;
  int64_t label(Split split, int64_t index) const override;

 protected:
  void load(Split split, int64_t index, float* out) const override;

 private:
  const ByteImages& part(Split split) const { return split == Split::train ? train_ : test_; }
  ByteImages train_, test_;
  float white_;
};

}  // namespace ascore
