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

/// The processes of one job, numbered from 0, and what they do together. Every operation but those that say otherwise
/// is called by all ranks, in the same order and with the same sizes; it throws PeerLostError, naming operation and
/// rank, when one of them is gone. One host thread uses a communicator at a time.
///
/// Sums are taken in rank order, in the element type: a result is a function of the ranks' values and their number, and
/// all ranks get the same bits.
///
/// Kinds: self (one process), mpi and tcp (cpu and simt views).
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// This process among those of its machine: which GPU is its own.
  virtual int local_rank() const = 0;
  /// "self", "mpi", "tcp": for logs and `metrics.jsonl`.
  virtual std::string kind() const = 0;
  /// The rank that writes files and messages.
  bool is_root() const { return rank() == 0; }

  /// Returns when every rank has called it.
  virtual void barrier() = 0;
  /// All ranks get root's elements.
  virtual void broadcast(Stream& stream, View view, int root) = 0;
  /// view <- sum over ranks; f32 or f64, as long as you like, empty too.
  void all_reduce_sum(Stream& stream, View view) { start_all_reduce_sum(stream, view).wait(stream); }
  /// The same beside what follows on `stream`, by a thread of its own. `view` must not be touched until Pending::wait.
  [[nodiscard]] virtual Pending start_all_reduce_sum(Stream& stream, View view) = 0;
  /// all <- the ranks' pieces one after the other. `counts[r]` is the number of elements of rank r, the same list on
  /// every rank; pieces may differ in size, or be empty. Any dtype.
  virtual void all_gather(Stream& stream, ConstView mine, View all, std::span<const int64_t> counts) = 0;
  /// Every rank's words, of any length, in rank order: for hashes, host names, votes.
  virtual std::vector<std::string> exchange(std::string_view mine) = 0;

  /// Throws PeerLostError if a rank is known to be gone. Called by any rank at any time: costs nothing.
  virtual void check() = 0;
  /// The regular end: waits for all ranks, and says goodbye, so that nobody takes this rank for lost. The last call.
  virtual void finish() = 0;
  /// The end after an error of this rank alone: tells the others, who leave with PeerLostError. Under MPI this ends the
  /// whole job at once with that exit code, and does not return. A communicator that is destroyed without finish() has
  /// been abandoned.
  virtual void abandon(int exit_code) noexcept = 0;

 protected:
  Communicator() = default;
};

/// The communicator of a process on its own: moves nothing, waits for nobody.
std::unique_ptr<Communicator> make_self_communicator();

/// The first rank whose `hash` is not that of rank 0; none if all agree. The same answer on every rank.
std::optional<int> first_differing_rank(Communicator& ranks, uint64_t hash);

}  // namespace ascore
