#pragma once

#include "engine/data/dataset.hpp"
#include "engine/data/share.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace ascore {

/// Samples for one step, in host memory.
struct Batch {
  int64_t number = 0;            ///< k: counted from the start of training, over all epochs
  std::vector<float> values;     ///< [N] + sample_shape, row-major
  std::vector<int64_t> labels;   ///< [N]
  std::vector<int64_t> indices;  ///< [N], into the split
};

/// Batches without end, read ahead by a thread of its own. Batch k is a pure function of (data, split, batch size,
/// seed, k): a loader that starts at k gives what an uninterrupted one would. Every epoch visits the samples in a new
/// order (`shuffle`) and drops the last partial batch; `flip` mirrors half of the images of an epoch, and never those
/// of the test split.
class Loader {
 public:
  /// `data` outlives the loader. `share`: the part of every batch that is read and given, if not all of it.
  /// Throws ConfigError if a batch is larger than the split, a share empty or outside of it, or flips points.
  Loader(const Dataset& data, Split split, int64_t batch, bool shuffle, bool flip, uint64_t seed,
         int64_t start_batch = 0, std::optional<Share> share = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; waits until it is read. Throws what reading it threw, and again at every later call.
  Batch next();
  int64_t batches_per_epoch() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The order in which epoch `epoch` visits `count` samples: a permutation, each as likely as any other.
std::vector<int64_t> epoch_order(uint64_t seed, uint32_t epoch, int64_t count);

}  // namespace ascore
