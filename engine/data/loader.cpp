#include "engine/data/loader.hpp"

#include "engine/training/random_streams.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr size_t kReadAhead = 2;  // batches: one is used, one waits, one is being read

bool is_flipped(uint64_t seed, uint32_t epoch, int64_t index) {
  const NoiseKey key{
      .seed = seed, .stream = id(RandomStream::data_flip), .first_sample = static_cast<uint64_t>(index), .step = epoch};
  return random_bits(key, 0, 0).word[0] >> 31;
}

// Mirrors an image [H,W,C] left to right, in place.
void mirror(float* image, const Shape& shape) {
  const int64_t H = shape[0], W = shape[1], C = shape[2];
  for (int64_t y = 0; y < H; ++y) {
    float* row = image + y * W * C;
    for (int64_t left = 0, right = W - 1; left < right; ++left, --right) {
      std::swap_ranges(row + left * C, row + (left + 1) * C, row + right * C);
    }
  }
}

}  // namespace

std::vector<int64_t> epoch_order(uint64_t seed, uint32_t epoch, int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  const NoiseKey key{.seed = seed, .stream = id(RandomStream::data_order), .first_sample = 0, .step = epoch};
  RandomBits bits{};
  // Fisher and Yates, from the end; draw i decides place i.
  for (int64_t i = count - 1, group = -1; i > 0; --i) {
    if (i / 4 != group) {
      group = i / 4;
      bits = random_bits(key, 0, static_cast<uint32_t>(group));
    }
    const int64_t other = index_from_bits(bits.word[i % 4], i + 1);
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(other)]);
  }
  return order;
}

struct Loader::State {
  State(const Dataset& d, Split s, int64_t n, Share part, bool shuffled, bool flipped, uint64_t random_seed)
      : data(d),
        split(s),
        batch(n),
        share(part),
        shuffle(shuffled),
        flip(flipped && s == Split::train),
        seed(random_seed),
        per_epoch(d.size(s) / n) {}

  const Dataset& data;
  const Split split;
  const int64_t batch;
  const Share share;
  const bool shuffle, flip;
  const uint64_t seed;
  const int64_t per_epoch;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr failure;
  bool stopping = false;
  std::thread thread;

  // Of the reading thread alone.
  int64_t ordered_epoch = -1;
  std::vector<int64_t> order;

  Batch read(int64_t number) {
    const int64_t epoch = number / per_epoch, first = number % per_epoch * batch + share.first;
    const int64_t width = data.sample_shape().count();
    if (shuffle && epoch != ordered_epoch) {
      order = epoch_order(seed, static_cast<uint32_t>(epoch), data.size(split));
      ordered_epoch = epoch;
    }
    Batch result{.number = number, .values = {}, .labels = {}, .indices = {}};
    result.values.resize(static_cast<size_t>(share.count * width));
    for (int64_t i = 0; i < share.count; ++i) {
      const int64_t index = shuffle ? order[static_cast<size_t>(first + i)] : first + i;
      float* sample = result.values.data() + i * width;
      data.read(split, index, sample, static_cast<uint32_t>(epoch));
      if (flip && is_flipped(seed, static_cast<uint32_t>(epoch), index)) mirror(sample, data.sample_shape());
      result.labels.push_back(data.label(split, index));
      result.indices.push_back(index);
    }
    return result;
  }

  void run(int64_t number) {
    try {
      for (;; ++number) {
        Batch next = read(number);
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopping || ready.size() < kReadAhead; });
        if (stopping) return;
        ready.push_back(std::move(next));
        changed.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      changed.notify_all();
    }
  }
};

Loader::Loader(const Dataset& data, Split split, int64_t batch, bool shuffle, bool flip, uint64_t seed,
               int64_t start_batch, std::optional<Share> share) {
  const int64_t size = data.size(split);
  if (batch < 1 || batch > size) {
    throw ConfigError(
        fmt::format("a batch of {} from {} {} samples: it must hold 1 to {}", batch, size, name(split), size));
  }
  const Share part = share.value_or(Share{.first = 0, .count = batch});
  if (part.count < 1 || part.first < 0 || part.first + part.count > batch) {
    throw ConfigError(fmt::format("samples {} to {} of a batch of {}: a share holds at least one of them", part.first,
                                  part.first + part.count, batch));
  }
  if (start_batch < 0) throw ConfigError(fmt::format("batch {} to start from: not negative", start_batch));
  if (flip && !data.is_image()) throw ConfigError("data.flip: points cannot be mirrored");
  state_ = std::make_unique<State>(data, split, batch, part, shuffle, flip, seed);
  state_->thread = std::thread([state = state_.get(), start_batch] { state->run(start_batch); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

Batch Loader::next() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return !state_->ready.empty() || state_->failure; });
  if (state_->ready.empty()) std::rethrow_exception(state_->failure);  // batches before the failing one come first
  Batch batch = std::move(state_->ready.front());
  state_->ready.pop_front();
  lock.unlock();
  state_->changed.notify_all();
  return batch;
}

int64_t Loader::batches_per_epoch() const {
  return state_->per_epoch;
}

}  // namespace ascore
