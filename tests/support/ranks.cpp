#include "tests/support/ranks.hpp"

#include "engine/dist/host_communicator.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace ascore::test {

namespace {

struct Letter {
  uint64_t tag;
  std::vector<std::byte> bytes;
};

/// What the threads share.
struct PostOffice {
  explicit PostOffice(int n) : size(n), boxes(static_cast<size_t>(n * n)), closed(static_cast<size_t>(n)) {}
  std::deque<Letter>& box(int from, int to) { return boxes[static_cast<size_t>(from * size + to)]; }

  int size;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::deque<Letter>> boxes;
  std::vector<bool> closed;
};

class InProcessTransport final : public dist::Transport {
 public:
  InProcessTransport(std::shared_ptr<PostOffice> office, int rank) : office_(std::move(office)), rank_(rank) {}
  ~InProcessTransport() override {
    const std::lock_guard lock(office_->mutex);
    office_->closed[static_cast<size_t>(rank_)] = true;
    office_->changed.notify_all();
  }
  int rank() const override { return rank_; }
  int size() const override { return office_->size; }
  std::string kind() const override { return "threads"; }

  void exchange(uint64_t tag, std::span<const dist::Outgoing> send, std::span<const dist::Incoming> receive,
                const Poll& poll) override {
    std::unique_lock lock(office_->mutex);
    for (const dist::Outgoing& one : send) {
      office_->box(rank_, one.to).push_back({tag, {one.bytes.begin(), one.bytes.end()}});
    }
    office_->changed.notify_all();
    for (const dist::Incoming& one : receive) {
      std::deque<Letter>& box = office_->box(one.from, rank_);
      while (box.empty()) {
        if (office_->closed[static_cast<size_t>(one.from)]) throw dist::ConnectionLost(one.from, "closed");
        office_->changed.wait_for(lock, std::chrono::milliseconds(20));
        poll();
      }
      if (box.front().tag != tag || box.front().bytes.size() != one.bytes.size()) throw Error("ranks have gone apart");
      std::copy(box.front().bytes.begin(), box.front().bytes.end(), one.bytes.begin());
      box.pop_front();
    }
  }
  void finish() override {}
  void abort(int) noexcept override {}

 private:
  std::shared_ptr<PostOffice> office_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<dist::Transport>> in_process_transports(int size) {
  const auto office = std::make_shared<PostOffice>(size);
  std::vector<std::unique_ptr<dist::Transport>> transports;
  for (int rank = 0; rank < size; ++rank) transports.push_back(std::make_unique<InProcessTransport>(office, rank));
  return transports;
}

void run_ranks(int size, const std::function<void(Communicator&)>& body) {
  auto transports = in_process_transports(size);
  std::vector<std::exception_ptr> errors(transports.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < transports.size(); ++r) {
    threads.emplace_back([&, r] {
      try {
        const auto open = [&] { return std::move(transports[r]); };
        const auto ranks = dist::make_host_communicator(open, static_cast<int>(r), {.peer_timeout = 0});
        body(*ranks);
        ranks->finish();
      } catch (...) {
        errors[r] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace ascore::test
