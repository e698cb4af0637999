#pragma once

#include "engine/training/score_matching.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace ascore {

class Learner;

/// Where the samples of one process lie in the batch of an update, which may be spread over several: samples
/// [first, first + count) of `global`.
struct BatchShare {
  int64_t global, first, count;
};

/// What an update asks of the other processes that hold a share of its batch; empty: there are none.
struct BatchPeers {
  /// Verdicts [count] of this process -> those of the whole batch [global], in the order of its samples.
  std::function<Tensor(Ctx&, const Tensor& local)> gather = {};
  /// Sums over the processes, in place.
  std::function<void(Ctx&, const Tensor& values)> sum = {};
  /// Sums a learner's gradients while the backward pass runs that makes the last of them: one is called before it, with
  /// its tape, the other after it. Absent: they are summed after it.
  std::function<void(Ctx&, Tape&, const Learner&)> begin_gradients = {};
  std::function<void(Ctx&)> end_gradients = {};
};

/// Samples [begin, end) of a process's batch: what is on the tape at once.
struct BatchPart {
  int64_t begin, end;
};

/// A batch of `count` samples in parts of `most`, the last one perhaps smaller; 0: in one part.
std::vector<BatchPart> parts_of(int64_t count, int64_t most);
/// A part of a batch; the same memory.
NoisyBatch rows(const NoisyBatch& batch, const BatchPart& part);
/// Writes a part's values [end - begin,...] into those of the batch [count,...].
void put_rows(Ctx& ctx, const Tensor& batch, const BatchPart& part, const Tensor& values);
/// sum + weight value; `sum` may be absent (0).
Tensor plus(Ctx& ctx, const Tensor& sum, const Tensor& value, double weight);

}  // namespace ascore
