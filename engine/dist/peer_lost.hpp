#pragma once

#include "kernels/core/error.hpp"

#include <string>

namespace ascore {

/// A rank of this job died, stopped answering, or left with an error of its own: the job cannot go on.
class PeerLostError : public Error {
 public:
  PeerLostError(int rank, const std::string& message) : Error(message), rank_(rank) {}
  /// The rank that was lost.
  int rank() const { return rank_; }

 private:
  int rank_;
};

}  // namespace ascore
