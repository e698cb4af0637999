#pragma once

#include "engine/data/dataset.hpp"

#include <vector>

namespace ascore {

/// Of one channel (images) or coordinate (points), over all samples and pixels of a split.
struct ChannelStatistics {
  double min = 0, max = 0, mean = 0, deviation = 0;
};

/// Facts about a split of a data set, as its samples reach the network (prepared, not flipped).
struct DataStatistics {
  int64_t count = 0;
  Shape sample_shape;
  std::vector<ChannelStatistics> channels;
  std::vector<int64_t> labels;  ///< how often each label 0, 1, ... occurs
};

/// Reads every sample twice (mean, then spread). Throws ConfigError for an empty split.
DataStatistics data_statistics(const Dataset& data, Split split);

/// Technique 1 (Song and Ermon 2020, arXiv:2006.09011): sigma_begin should be about the largest Euclidean distance of
/// two training samples. An estimate from below: pairs within mini-batches of `batch` samples of one shuffled epoch
/// (what is left over forms a last, smaller one). `max_batches` > 0 stops after so many.
double largest_pairwise_distance(const Dataset& data, Split split, int64_t batch, uint64_t seed,
                                 int64_t max_batches = 0);

}  // namespace ascore
