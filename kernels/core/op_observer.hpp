#pragma once

#include "kernels/core/stream.hpp"

namespace ascore {

/// Is told when operations run on a stream: each kernel function, copy and fill, inner ones inside outer ones. Not told
/// of what a capture queues, which does not run then, nor of replays.
class OpObserver {
 public:
  virtual ~OpObserver() = default;
  /// `name` is a string literal; the operation's arguments stand in stream.current_op(), which copies and fills have
  /// none of.
  virtual void begin(Stream& stream, const char* name) = 0;
  virtual void end(Stream& stream) = 0;
};

/// Who watches a stream: `stream.attached<ObservedBy>().observer = &mine`, null again before `mine` goes.
struct ObservedBy {
  OpObserver* observer = nullptr;
};

/// Tells the stream's observer, if it has one, of an operation that runs while this lives.
class ObservedOp {
 public:
  ObservedOp(Stream& stream, const char* name)
      : stream_(stream), observer_(stream.capturing() ? nullptr : stream.attached<ObservedBy>().observer) {
    if (observer_) observer_->begin(stream_, name);
  }
  ~ObservedOp() {
    if (observer_) observer_->end(stream_);
  }
  ObservedOp(const ObservedOp&) = delete;
  ObservedOp& operator=(const ObservedOp&) = delete;

 private:
  Stream& stream_;
  OpObserver* observer_;
};

}  // namespace ascore
