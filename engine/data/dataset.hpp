#pragma once

#include "engine/data/transform.hpp"
#include "kernels/core/shape.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ascore {

/// Test samples are never trained on: they measure the held-out loss and the distances to the data.
enum class Split : uint8_t { train, test };
/// "train", "test".
const char* name(Split split);

/// Recipe table [data].
struct DataConfig {
  /// swissroll, gaussians8, gaussians25, digits, cifar10, mnist, stackedmnist, array, folder, lsun, celeba, ffhq
  std::string name = "digits";
  std::string path = {};  ///< where the files are; points and digits have none
  int image_size = 0;     ///< width in pixels; 0: the data's own (folder, lsun, celeba, ffhq: required)
  int image_height = 0;   ///< 0: as image_size; other heights for array, folder and lsun
  int channels = 0;       ///< 0: the data's own
  bool flip = false;      ///< mirror half of the training images (done by the Loader)
  std::string dequantize = "none";
  std::string transform = "none";
  double test_fraction =
      0.1;  ///< share held out where the data has no test part of its own (digits, array, folder, ffhq)
  bool skip_broken = false;  ///< leave out images that cannot be decoded (folder, lsun, celeba, ffhq)
};

/// Samples that can be read by index, from any thread, and always come out the same. Images are NHWC f32 in [0,1]
/// before the configured preparation (dequantisation, then transform), points are D coordinates.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// [H,W,C] of images, [D] of points.
  const Shape& sample_shape() const { return shape_; }
  bool is_image() const { return shape_.rank() == 3; }
  virtual int64_t size(Split split) const = 0;
  /// Class, or mode of a mixture; 0 where there is none.
  virtual int64_t label(Split split, int64_t index) const = 0;

  /// One sample, prepared, to sample_shape().count() floats. `pass` chooses the dequantisation noise (the epoch); it
  /// changes nothing where there is none. Throws DataError if the index is out of range.
  void read(Split split, int64_t index, float* out, uint32_t pass = 0) const;

  const Preparation& preparation() const { return preparation_; }
  /// What was done on opening that the user should know, a line each: broken images that were skipped.
  const std::vector<std::string>& notices() const { return notices_; }

 protected:
  Dataset(const Shape& sample_shape, const Preparation& preparation, uint64_t seed)
      : shape_(sample_shape), preparation_(preparation), seed_(seed) {}
  /// The sample before preparation; the index is in range.
  virtual void load(Split split, int64_t index, float* out) const = 0;
  uint64_t seed() const { return seed_; }
  void add_notice(std::string line) { notices_.push_back(std::move(line)); }

 private:
  Shape shape_;
  Preparation preparation_;
  uint64_t seed_;
  std::vector<std::string> notices_;
};

/// Opens the data that a recipe names. `seed` draws synthetic points and dequantisation noise, not which samples are
/// held out. Throws ConfigError for an unknown name (naming the known ones) or an image size or preparation that the
/// data does not take, DataError for missing or broken files.
std::unique_ptr<Dataset> open_dataset(const DataConfig& config, uint64_t seed);

}  // namespace ascore
