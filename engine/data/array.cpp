#include "engine/data/array.hpp"

#include "engine/data/hold_out.hpp"
#include "engine/data/image_arrays.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <numeric>

namespace ascore {

namespace {

std::vector<int64_t> all_of(const LabelledImages& part) {
  std::vector<int64_t> indices(part.labels.size());
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

class ArrayDataset final : public Dataset {
 public:
  ArrayDataset(ImageArrays arrays, double test_fraction, const Preparation& preparation, uint64_t seed)
      : Dataset(Shape(arrays.train.images.shape.dims().subspan(1)), preparation, seed), arrays_(std::move(arrays)) {
    samples_ = arrays_.test ? HeldOut{.train = all_of(arrays_.train), .test = all_of(*arrays_.test)}
                            : hold_out(arrays_.train.images.shape[0], test_fraction);
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(indices(split).size()); }
  int64_t label(Split split, int64_t index) const override {
    return part(split).labels[static_cast<size_t>(place(split, index))];
  }

 protected:
  void load(Split split, int64_t index, float* out) const override {
    const HostTensor& images = part(split).images;
    const int64_t count = sample_shape().count(), first = place(split, index) * count;
    if (images.dtype == DType::f32) {
      std::copy_n(images.as<float>().begin() + first, count, out);
    } else {
      const uint8_t* pixels = images.as<uint8_t>().data() + first;
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(pixels[i]) / 255.0f;
    }
  }

 private:
  const LabelledImages& part(Split split) const {
    return split == Split::test && arrays_.test ? *arrays_.test : arrays_.train;
  }
  const std::vector<int64_t>& indices(Split split) const {
    return split == Split::train ? samples_.train : samples_.test;
  }
  int64_t place(Split split, int64_t index) const { return indices(split).at(static_cast<size_t>(index)); }

  ImageArrays arrays_;
  HeldOut samples_;
};

}  // namespace

std::unique_ptr<Dataset> open_array(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: array needs a .npy or .npz file");
  return std::make_unique<ArrayDataset>(read_image_arrays(config.path), config.test_fraction, preparation, seed);
}

}  // namespace ascore
