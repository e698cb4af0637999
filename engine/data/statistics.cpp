#include "engine/data/statistics.hpp"

#include "engine/data/loader.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ascore {

namespace {

void require_samples(const Dataset& data, Split split) {
  if (data.size(split) == 0) throw ConfigError(fmt::format("the {} data are empty", name(split)));
}

// Calls body(channel, value) for every value of every sample.
template <class Body>
void for_all_values(const Dataset& data, Split split, Body body) {
  const auto width = static_cast<size_t>(data.sample_shape().count());
  const auto channels = static_cast<size_t>(data.sample_shape()[-1]);
  std::vector<float> sample(width);
  for (int64_t i = 0; i < data.size(split); ++i) {
    data.read(split, i, sample.data());
    for (size_t j = 0; j < width; ++j) body(j % channels, static_cast<double>(sample[j]));
  }
}

double squared_distance(const float* a, const float* b, int64_t width) {
  float partial[8] = {};  // fixed lanes: the compiler vectorises, the order of the sum stays
  int64_t j = 0;
  for (; j + 8 <= width; j += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      const float difference = a[j + lane] - b[j + lane];
      partial[lane] += difference * difference;
    }
  }
  double sum = 0;
  for (const float value : partial) sum += value;
  for (; j < width; ++j) sum += static_cast<double>(a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

}  // namespace

DataStatistics data_statistics(const Dataset& data, Split split) {
  require_samples(data, split);
  const auto channels = static_cast<size_t>(data.sample_shape()[-1]);
  DataStatistics result{.count = data.size(split), .sample_shape = data.sample_shape(), .channels = {}, .labels = {}};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  result.channels.assign(channels, {.min = kInfinity, .max = -kInfinity, .mean = 0, .deviation = 0});
  const double per_channel = static_cast<double>(result.count) * static_cast<double>(data.sample_shape().count()) /
                             static_cast<double>(channels);

  for_all_values(data, split, [&](size_t c, double value) {
    ChannelStatistics& channel = result.channels[c];
    channel.min = std::min(channel.min, value);
    channel.max = std::max(channel.max, value);
    channel.mean += value;
  });
  for (ChannelStatistics& channel : result.channels) channel.mean /= per_channel;
  for_all_values(data, split, [&](size_t c, double value) {
    ChannelStatistics& channel = result.channels[c];
    channel.deviation += (value - channel.mean) * (value - channel.mean);
  });
  for (ChannelStatistics& channel : result.channels) channel.deviation = std::sqrt(channel.deviation / per_channel);

  for (int64_t i = 0; i < result.count; ++i) {
    const auto label = static_cast<size_t>(data.label(split, i));
    if (label >= result.labels.size()) result.labels.resize(label + 1);
    ++result.labels[label];
  }
  return result;
}

double largest_pairwise_distance(const Dataset& data, Split split, int64_t batch, uint64_t seed, int64_t max_batches) {
  require_samples(data, split);
  if (batch < 2) throw ConfigError("a pairwise distance needs batches of at least 2");
  const int64_t size = data.size(split), width = data.sample_shape().count();
  const std::vector<int64_t> order = epoch_order(seed, 0, size);
  std::vector<float> values(static_cast<size_t>(std::min(batch, size) * width));
  double largest = 0;
  for (int64_t first = 0, number = 0; first < size && (max_batches <= 0 || number < max_batches);
       first += batch, ++number) {
    const int64_t count = std::min(batch, size - first);
    for (int64_t i = 0; i < count; ++i) {
      data.read(split, order[static_cast<size_t>(first + i)], values.data() + i * width);
      for (int64_t j = 0; j < i; ++j) {
        largest = std::max(largest, squared_distance(values.data() + i * width, values.data() + j * width, width));
      }
    }
  }
  return std::sqrt(largest);
}

}  // namespace ascore
