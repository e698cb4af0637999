#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ascore::kernels::simt {

/// One cp.async: the first `valid` of `bytes` bytes are copied, the others become zero.
struct AsyncCopy {
  void* shared;
  const void* global;
  int bytes, valid;
};

/// The asynchronous copies that one thread has started and not yet waited for, in groups.
class AsyncCopies {
 public:
  void add(const AsyncCopy& copy) { pending_.push_back({copy, group_}); }
  void close_group() { ++group_; }
  /// Takes the next copy that belongs to a closed group other than the latest `groups_left`; false if there is none.
  bool take(uint64_t groups_left, AsyncCopy& copy) {
    if (next_ == pending_.size() || pending_[next_].group + groups_left >= group_) {
      // The memory stays: a kernel waits at every step.
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(next_));
      next_ = 0;
      return false;
    }
    copy = pending_[next_++].copy;
    return true;
  }
  void clear() {
    pending_.clear();
    next_ = 0;
  }

 private:
  struct Pending {
    AsyncCopy copy;
    uint64_t group;
  };
  std::vector<Pending> pending_;
  size_t next_ = 0;     ///< of pending_; those before it have been taken
  uint64_t group_ = 0;  ///< the one that is open
};

}  // namespace ascore::kernels::simt
