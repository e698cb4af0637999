#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace ascore::dist {

/// A thread that does jobs one after the other, in the order in which they were given.
class Worker {
 public:
  /// `idle` is called on the thread several times a second, between jobs.
  explicit Worker(std::function<void()> idle);
  /// Does what is still to be done, then ends the thread.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The future tells when `job` is done, and what it threw.
  std::future<void> post(std::function<void()> job);

 private:
  void work();

  std::function<void()> idle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> jobs_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace ascore::dist
