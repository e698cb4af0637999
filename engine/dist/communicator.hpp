#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ascore {

/// An operation between ranks that may still be under way. A default-constructed one is done.
class Pending {
 public:
  class State {
   public:
    virtual ~State() = default;
    virtual void wait(Stream& stream) = 0;
  };

  Pending() = default;
  explicit Pending(std::shared_ptr<State> state) : state_(std::move(state)) {}

  /// What `stream` does from here on sees the result; on host memory the caller waits. Throws what the operation threw.
  void wait(Stream& stream) {
    if (const auto state = std::exchange(state_, nullptr)) state->wait(stream);
  }

 private:
  std::shared_ptr<State> state_;
};

/// Is told of sums between ranks: of a bucket of gradients, of a loss.
class SumObserver {
 public:
  virtual ~SumObserver() = default;
  /// A sum of `bytes` begins, and ends, one after the other. `native`: the cudaStream_t on which it does; null: now, on
  /// the thread that calls.
  virtual void begin_sum(void* native, size_t bytes) = 0;
  virtual void end_sum(void* native) = 0;
};

/// The processes of one job, numbered from 0, and what they do together. Every operation but those that say otherwise
/// is called by all ranks, in the same order and with the same sizes; it throws PeerLostError, naming operation and
/// rank, when one of them is gone. One host thread uses a communicator at a time.
///
/// All ranks get the same bits of a sum. Between processors it is taken in rank order, in the element type: a function
/// of the ranks' values and their number. Between GPUs its order is NCCL's (nccl_communicator.hpp).
///
/// Kinds: self (one process), mpi and tcp (cpu and simt views), nccl (cuda views, beside one of those).
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// This process among those of its machine: which GPU is its own.
  virtual int local_rank() const = 0;
  /// "self", "mpi", "tcp", "nccl": for logs and `metrics.jsonl`.
  virtual std::string kind() const = 0;
  /// The rank that writes files and messages.
  bool is_root() const { return rank() == 0; }

  /// Returns when every rank has called it.
  virtual void barrier() = 0;
  /// All ranks get root's elements.
  virtual void broadcast(Stream& stream, View view, int root) = 0;
  /// view <- sum over ranks; f32 or f64, as long as you like, empty too.
  void all_reduce_sum(Stream& stream, View view) { start_all_reduce_sum(stream, view).wait(stream); }
  /// The same beside what follows on `stream`, by a thread or a queue of its own. `view` must not be touched until
  /// Pending::wait.
  [[nodiscard]] virtual Pending start_all_reduce_sum(Stream& stream, View view) = 0;
  /// all <- the ranks' pieces one after the other. `counts[r]` is the number of elements of rank r, the same list on
  /// every rank; pieces may differ in size, or be empty. Any dtype.
  virtual void all_gather(Stream& stream, ConstView mine, View all, std::span<const int64_t> counts) = 0;
  /// Every rank's words, of any length, in rank order: for hashes, host names, votes.
  virtual std::vector<std::string> exchange(std::string_view mine) = 0;

  /// True where operations on views of `device` are queued on streams, so that a captured step (Graph) can hold them.
  virtual bool queues_on(Device) const { return false; }
  /// Tells `observer` of the sums that start from here on; null: nobody.
  virtual void observe(SumObserver* observer) { observer_ = observer; }

  /// Throws PeerLostError if a rank is known to be gone: then sums that were under way have left anything. Called by
  /// any rank at any time: costs nothing.
  virtual void check() = 0;
  /// The regular end: waits for all ranks, and says goodbye, so that nobody takes this rank for lost. The last call.
  virtual void finish() = 0;
  /// The end after an error of this rank alone: tells the others, who leave with PeerLostError. Under MPI this ends the
  /// whole job at once with that exit code, and does not return. A communicator that is destroyed without finish() has
  /// been abandoned.
  virtual void abandon(int exit_code) noexcept = 0;

 protected:
  Communicator() = default;
  SumObserver* observer() const { return observer_; }

 private:
  SumObserver* observer_ = nullptr;
};

/// The communicator of a process on its own: moves nothing, waits for nobody.
std::unique_ptr<Communicator> make_self_communicator();

/// The first rank whose `hash` is not that of rank 0; none if all agree. The same answer on every rank.
std::optional<int> first_differing_rank(Communicator& ranks, uint64_t hash);

}  // namespace ascore
