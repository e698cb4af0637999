#pragma once

#include "engine/data/dataset.hpp"
#include "engine/io/host_tensor.hpp"
#include "tools/recipe/recipe.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ascore::tools {

/// Images or points that are measured, read piece by piece: images as f32 in [0,1], whatever they are stored as.
class SampleSet {
 public:
  virtual ~SampleSet() = default;
  SampleSet(const SampleSet&) = delete;
  SampleSet& operator=(const SampleSet&) = delete;

  const std::string& name() const { return name_; }     ///< for errors and reports: a path, a recipe and its split
  const Shape& sample_shape() const { return shape_; }  ///< [H,W,C] or [D]
  int64_t count() const { return count_; }
  bool is_image() const { return shape_.rank() == 3; }
  /// Samples first, first + 1, ... as rows: `count` times sample_shape().count() values. Throws DataError.
  virtual std::vector<double> read(int64_t first, int64_t count) const = 0;
  std::vector<double> read_all() const { return read(0, count_); }

 protected:
  SampleSet(std::string name, const Shape& shape, int64_t count)
      : name_(std::move(name)), shape_(shape), count_(count) {}

 private:
  std::string name_;
  Shape shape_;
  int64_t count_;
};

/// What ascore sample wrote (its folder, or samples.npz), any .npz or .npy of images u8 or f32 [N,H,W,C] or points f32
/// [N,D], or a folder of image files, which must all have one size. `count`: the first so many; 0: all. Throws
/// DataError: nothing there, images of several sizes, fewer than `count`, values that are not finite.
std::unique_ptr<SampleSet> open_samples(const std::filesystem::path& path, int64_t count);

/// Samples in memory, u8 or f32 [N,H,W,C] or f32 [N,D].
std::unique_ptr<SampleSet> samples_in_memory(const std::string& name, HostTensor values);

enum class Part : uint8_t { usual, train, test, all };
/// Empty: `usual`, all of a set of images, the test part of points. Throws ConfigError naming the known parts.
Part parse_part(const std::string& text);

/// A recipe's data as they are before preparation (points: as the network sees them). Throws as open_data.
std::unique_ptr<SampleSet> open_recipe_samples(const Recipe& recipe, Part part);

}  // namespace ascore::tools
