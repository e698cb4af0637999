#include "engine/dist/host_communicator.hpp"

#include "engine/dist/collective_checks.hpp"
#include "engine/dist/collectives.hpp"
#include "engine/dist/peer_watch.hpp"
#include "engine/dist/worker.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <unistd.h>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

constexpr int kLostExitCode = 7;
constexpr double kMeeting = 25;    // seconds to begin to watch each other, a little more than that takes by itself
constexpr double kLastResort = 2;  // seconds after the grace

class HostCommunicator final : public Communicator {
 public:
  HostCommunicator(std::function<std::unique_ptr<Transport>()> open, int local_rank, FailureOptions failure)
      : failure_(std::move(failure)), local_rank_(local_rank), worker_([this] { idle(); }) {
    within(failure_.start_timeout, "start", start("start", [&](const Collective*) {
             transport_ = open();
             rank_ = transport_->rank();
             size_ = transport_->size();
           }));
    if (failure_.peer_timeout > 0) {
      within(kMeeting, "start", start("start", [this](const Collective* ranks) {
               watch_ = std::make_unique<PeerWatch>(*ranks, failure_.peer_timeout, watch_calls());
             }));
    }
    if (local_rank_ < 0) local_rank_ = find_local_rank();
  }

  ~HostCommunicator() override {
    if (!ended_) abandon(1);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }
  std::string kind() const override { return transport_->kind(); }

  void barrier() override {
    run("barrier", [](const Collective* ranks) { dist::barrier(*ranks); });
  }

  void broadcast(Stream& stream, View view, int root) override {
    check_broadcast(stream, view, root, size_);
    check_host(stream, "broadcast");
    // By way of a copy: on simt that is how memory is written from outside.
    std::vector<std::byte> staged(view.bytes());
    const View room(staged.data(), view.shape(), view.dtype(), Device::cpu);
    if (rank_ == root) copy(stream, room, view);
    run("broadcast", [&](const Collective* ranks) { dist::broadcast(*ranks, staged, root); });
    if (rank_ != root) copy(stream, view, room);
  }

  Pending start_all_reduce_sum(Stream& stream, View view) override {
    check_all_reduce(stream, view);
    check_host(stream, "all_reduce_sum");
    auto sum = std::make_shared<Sum>(*this);
    sum->done = start("all_reduce_sum", [this, view, observer = observer()](const Collective* ranks) {
      const size_t count = static_cast<size_t>(view.count());
      if (observer) observer->begin_sum(nullptr, view.bytes());
      if (view.dtype() == DType::f64) {
        dist::all_reduce_sum(*ranks, std::span(view.as<double>(), count), scratch_);
      } else {
        dist::all_reduce_sum(*ranks, std::span(view.as<float>(), count), scratch_);
      }
      if (observer) observer->end_sum(nullptr);
    });
    return Pending(std::move(sum));
  }

  void all_gather(Stream& stream, ConstView mine, View all, std::span<const int64_t> counts) override {
    check_all_gather(stream, mine, all, counts, rank_, size_);
    check_host(stream, "all_gather");
    std::vector<std::byte> staged(all.bytes());
    std::vector<std::span<std::byte>> pieces;
    size_t begin = 0;
    for (const int64_t count : counts) {
      const size_t bytes = static_cast<size_t>(count) * size_of(all.dtype());
      pieces.push_back(std::span(staged).subspan(begin, bytes));
      begin += bytes;
    }
    const std::span<const std::byte> own(static_cast<const std::byte*>(mine.raw()), mine.bytes());
    run("all_gather", [&](const Collective* ranks) { dist::all_gather(*ranks, own, pieces); });
    copy(stream, all, View(staged.data(), all.shape(), all.dtype(), Device::cpu));
  }

  std::vector<std::string> exchange(std::string_view mine) override {
    std::vector<std::string> words;
    run("exchange", [&](const Collective* ranks) { words = all_gather_words(*ranks, mine); });
    return words;
  }

  void check() override { throw_if_lost("a step"); }

  void finish() override {
    barrier();
    within(failure_.peer_timeout, "end", start("finish", [this](const Collective*) {
             if (watch_) watch_->say_goodbye();
             watch_.reset();
             transport_->finish();
             ended_ = true;
           }));
  }

  void abandon(int exit_code) noexcept override {
    if (ended_) return;
    ended_ = true;
    cancelled_ = true;
    try {
      worker_
          .post([this, exit_code] {
            if (transport_) transport_->abort(exit_code);  // at once, before others abort with a code of their own
            if (watch_) watch_->say_failed(exit_code);
            watch_.reset();
            transport_.reset();  // the others see the connections close
          })
          .wait();
    } catch (const std::exception&) {
      // Out of memory, at the end of a process that fails anyway: the others see the connection close.
    }
  }

 private:
  using Work = std::function<void(const Collective*)>;

  /// A sum under way. If nobody waits for it (an error is on its way up the stack), its memory may be about to be
  /// freed: then it is broken off, and with it everything else that ranks do together.
  struct Sum final : Pending::State {
    explicit Sum(HostCommunicator& o) : owner(o) {}
    ~Sum() override {
      if (!done.valid()) return;
      if (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) owner.cancelled_ = true;
      done.wait();
    }
    void wait(Stream&) override { done.get(); }
    HostCommunicator& owner;
    std::future<void> done;
  };

  /// Queues an operation; the future throws its errors.
  std::future<void> start(const char* operation, Work work) {
    return worker_.post([this, operation, work = std::move(work)] {
      const Transport::Poll poll = [this, operation] { throw_if_over(operation); };
      poll();
      try {
        if (!transport_) return work(nullptr);
        const Collective ranks{*transport_, ++operations_, poll};
        work(&ranks);
      } catch (const ConnectionLost& lost) {
        if (!watch_) throw PeerLostError(lost.rank(), fmt::format("{}: {}", operation, lost.what()));
        throw error_of(watch_->loss_behind(lost.rank()), operation);
      }
    });
  }
  void run(const char* operation, Work work) { start(operation, std::move(work)).get(); }

  static PeerLostError error_of(const Loss& loss, const char* operation) {
    return {loss.rank, fmt::format("rank {} was lost in {}: {}", loss.rank, operation, loss.how)};
  }
  void throw_if_lost(const char* operation) const {
    const PeerWatch* watch = watch_.get();
    if (const auto loss = watch ? watch->loss() : std::nullopt) throw error_of(*loss, operation);
  }
  void throw_if_over(const char* operation) const {
    if (cancelled_) throw Error(fmt::format("{}: this rank has left the others", operation));
    throw_if_lost(operation);
  }

  WatchCalls watch_calls() {
    return {.on_loss =
                [this] {
                  if (failure_.on_loss) failure_.on_loss();
                },
            .own_fault = failure_.own_fault,
            .after_loss = [this](const Loss& loss, double seconds) { leave_at_last(loss, seconds); }};
  }

  /// Waits for a part of the start or of the end, in which nobody watches: a rank that is stopped in it would stop the
  /// others. `what` they do.
  void within(double limit, const char* what, std::future<void> part) {
    const auto seconds = std::chrono::duration<double>(limit);
    if (limit > 0 && failure_.leave && part.wait_for(seconds) != std::future_status::ready) {
      failure_.leave(PeerLostError(
          -1, fmt::format("the ranks did not all {} within {:g} s: one of them is stopped, or was never started", what,
                          limit)));
      _exit(kLostExitCode);
    }
    part.get();
  }

  /// On the watch's thread, where the worker's has not left: it is stuck in MPI.
  void leave_at_last(const Loss& loss, double seconds) {
    if (!failure_.leave || seconds < failure_.grace + kLastResort) return;
    if (!said_) failure_.leave(error_of(loss, "a step"));
    _exit(kLostExitCode);
  }

  /// On the worker's thread, several times a second.
  void idle() {
    if (!transport_ || ended_) return;
    transport_->idle();
    if (watch_) leave_if_overdue();
  }
  void leave_if_overdue() {
    const std::optional<Loss> loss = watch_->loss();
    if (!loss || watch_->seconds_since_loss() < failure_.grace) return;
    if (failure_.leave) {
      said_ = true;
      failure_.leave(error_of(*loss, "a step"));
    }
    transport_->abort(kLostExitCode);
  }

  int find_local_rank() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    const std::vector<std::string> hosts = exchange(name.data());
    const auto mine = hosts.begin() + rank_;
    return static_cast<int>(std::count(hosts.begin(), mine, *mine));
  }

  void check_host(const Stream& stream, const char* operation) const {
    check_not_captured(stream, operation);
    if (stream.device() != Device::cuda) return;
    throw DeviceError(fmt::format(
        "{}: ranks that are joined by {} exchange memory of the host; for cuda, NCCL is needed", operation, kind()));
  }

  FailureOptions failure_;
  int rank_ = 0, size_ = 1, local_rank_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<PeerWatch> watch_;
  std::vector<std::byte> scratch_;
  uint64_t operations_ = 0;
  std::atomic<bool> cancelled_ = false, ended_ = false, said_ = false;
  Worker worker_;  // last: its thread uses what stands above
};

}  // namespace

std::unique_ptr<Communicator> make_host_communicator(std::function<std::unique_ptr<Transport>()> open, int local_rank,
                                                     FailureOptions failure) {
  return std::make_unique<HostCommunicator>(std::move(open), local_rank, std::move(failure));
}

}  // namespace ascore::dist
