#pragma once

#include "kernels/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace ascore::dist {

/// A connection to a rank broke. Who is really gone is for PeerWatch to say: the rank at the other end may have left
/// because of a third one.
class ConnectionLost : public Error {
 public:
  ConnectionLost(int rank, const std::string& message) : Error(message), rank_(rank) {}
  int rank() const { return rank_; }

 private:
  int rank_;
};

struct Outgoing {
  int to;
  std::span<const std::byte> bytes;
};
struct Incoming {
  int from;
  std::span<std::byte> bytes;
};

/// Moves bytes between ranks; everything that ranks do together is made of it (collectives.hpp). One thread makes it,
/// uses it and destroys it, which is all that MPI is asked to allow.
class Transport {
 public:
  /// Called several times a second while others are waited for; may throw to break off.
  using Poll = std::function<void()>;

  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string kind() const = 0;
  /// Sends and receives all of these at once, and returns when everything is sent and received. At most one message for
  /// and from each other rank. A message has the same `tag` and length on both sides. Throws ConnectionLost; Error if
  /// the two sides do not expect the same; what `poll` throws.
  virtual void exchange(uint64_t tag, std::span<const Outgoing> send, std::span<const Incoming> receive,
                        const Poll& poll) = 0;
  /// Called several times a second while nothing is exchanged.
  virtual void idle() {}
  /// All ranks are done. The last call.
  virtual void finish() = 0;
  /// Ends the whole job, where there is a launcher that can; else returns.
  virtual void abort(int exit_code) noexcept = 0;
};

}  // namespace ascore::dist
