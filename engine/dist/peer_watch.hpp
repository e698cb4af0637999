#pragma once

#include "engine/dist/collectives.hpp"
#include "engine/dist/socket.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace ascore::dist {

/// A rank that is gone, and how that was seen: "its connection closed".
struct Loss {
  int rank;
  std::string how;
};

/// What a watch calls, on its own thread.
struct WatchCalls {
  /// Once, when a rank is lost.
  std::function<void()> on_loss;
  /// Many times a second: why this rank itself cannot go on; empty: it can.
  std::function<std::string()> own_fault = {};
  /// Many times a second after a loss, with the seconds since.
  std::function<void(const Loss&, double seconds)> after_loss = {};
};

/// Knows whether the other ranks live. Every rank has a line to rank 0, on which both sides give signs of life, from a
/// thread of their own: a rank that computes for long is alive, one that was stopped is not. Who is lost first is told
/// to all, so that all name the same rank, and not one that left because of it.
class PeerWatch {
 public:
  /// Together with all ranks. `timeout`: seconds without a sign of life after which a rank is lost. A rank with a fault
  /// of its own gives others as long as word of a lost one takes to go around: often that is what is behind it. Then it
  /// is lost itself.
  PeerWatch(const Collective& ranks, double timeout, WatchCalls calls);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

  std::optional<Loss> loss() const;
  /// The loss, for which a broken connection to `suspect` gives reason to wait a moment; if nobody knows more, it is
  /// the suspect.
  Loss loss_behind(int suspect);
  /// How long ago the loss was seen; 0 without one.
  double seconds_since_loss() const;

  /// This rank is done, like all the others.
  void say_goodbye();
  /// This rank leaves because of an error of its own.
  void say_failed(int exit_code);

 private:
  struct Message;
  struct Peer;
  void watch();
  void look_at_self();
  void read(Peer& peer);
  void take(Peer& peer, const Message& message);
  void lose(const Message& news);
  void lose_to(const Loss& loss);
  void unwatch(Peer& peer);
  void tell(const Message& message);
  void wait_until_unwatched(double limit) const;
  void stop();

  int rank_;
  double timeout_;
  WatchCalls calls_;
  std::optional<Clock::time_point> at_fault_since_;
  std::vector<Peer> peers_;  ///< of rank 0: all others; of the others: rank 0
  std::atomic<size_t> watched_ = 0;
  std::atomic<bool> leaving_ = false, stopped_ = false;
  mutable std::mutex mutex_;
  std::condition_variable lost_;
  std::optional<Loss> loss_;
  Clock::time_point lost_at_;
  std::thread thread_;
};

}  // namespace ascore::dist
