#include "engine/dist/worker.hpp"

#include <chrono>

namespace ascore::dist {

namespace {
constexpr auto kIdle = std::chrono::milliseconds(200);
}

Worker::Worker(std::function<void()> idle) : idle_(std::move(idle)), thread_([this] { work(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::future<void> Worker::post(std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(task));
  }
  changed_.notify_one();
  return done;
}

void Worker::work() {
  for (;;) {
    std::packaged_task<void()> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kIdle, [this] { return ended_ || !jobs_.empty(); });
      if (jobs_.empty() && ended_) return;
      if (!jobs_.empty()) {
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
    }
    if (job.valid()) {
      job();
    }
    idle_();
  }
}

}  // namespace ascore::dist
