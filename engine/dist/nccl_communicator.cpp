#include "engine/dist/nccl_communicator.hpp"

#include "engine/dist/collective_checks.hpp"
#include "engine/dist/nccl_link.hpp"
#include "engine/dist/shared_failure.hpp"
#include "kernels/core/side_stream.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

using Time = std::chrono::steady_clock;
constexpr auto kJoin = std::chrono::seconds(180);   // in which NCCL connects the ranks: thousands take a minute
constexpr auto kVerdict = std::chrono::seconds(8);  // what it takes at most to know which rank is behind a broken link

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> host, std::shared_ptr<NcclLink> link, Device device)
      : host_(std::move(host)), link_(std::move(link)), device_(device) {
    load();
    join();
  }

  ~NcclCommunicator() override { link_->abort("this rank has left"); }

  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  int local_rank() const override { return host_->local_rank(); }
  std::string kind() const override { return "nccl"; }
  bool queues_on(Device device) const override { return device == device_; }
  void observe(SumObserver* observer) override {
    Communicator::observe(observer);
    host_->observe(observer);
  }

  void barrier() override { host_->barrier(); }
  std::vector<std::string> exchange(std::string_view mine) override { return host_->exchange(mine); }

  void broadcast(Stream& stream, View view, int root) override {
    if (!queues_on(stream.device())) return host_->broadcast(stream, view, root);
    check_broadcast(stream, view, root, size());
    queue(stream, "broadcast", [this, view, root](nccl::Comm* comm, void* native) {
      return api_->broadcast(view.raw(), view.raw(), view.bytes(), nccl::DataType::uint8, root, comm, native);
    });
    join(stream, "broadcast");
  }

  Pending start_all_reduce_sum(Stream& stream, View view) override {
    if (!queues_on(stream.device())) return host_->start_all_reduce_sum(stream, view);
    check_all_reduce(stream, view);
    const auto type = view.dtype() == DType::f64 ? nccl::DataType::float64 : nccl::DataType::float32;
    const auto count = static_cast<size_t>(view.count());
    if (count == 0) return {};
    side_.run(stream, [this, view, type, count](void* native) {
      settle("all_reduce_sum");
      if (observer()) observer()->begin_sum(native, view.bytes());
      observed_ = observer() != nullptr;
      call("all_reduce_sum", [&](nccl::Comm* comm) {
        return api_->all_reduce(view.raw(), view.raw(), count, type, nccl::Operation::sum, comm, native);
      });
      if (observed_ && native) end_observed(native);
    });
    return Pending(std::make_shared<Sum>(*this));
  }

  /// Every rank's piece from it to all others, as one call of NCCL's: pieces differ in size.
  void all_gather(Stream& stream, ConstView mine, View all, std::span<const int64_t> counts) override {
    if (!queues_on(stream.device())) return host_->all_gather(stream, mine, all, counts);
    check_all_gather(stream, mine, all, counts, rank(), size());
    queue(
        stream, "all_gather",
        [this, mine, all, sizes = std::vector<int64_t>(counts.begin(), counts.end())](nccl::Comm* comm, void* native) {
          nccl::Result result = api_->group_start();
          auto* to = static_cast<std::byte*>(all.raw());
          for (size_t r = 0; r < sizes.size() && result == nccl::Result::success; ++r) {
            const size_t bytes = static_cast<size_t>(sizes[r]) * size_of(all.dtype());
            const void* const from = static_cast<int>(r) == rank() ? mine.raw() : to;
            if (bytes > 0)
              result =
                  taken(api_->broadcast(from, to, bytes, nccl::DataType::uint8, static_cast<int>(r), comm, native));
            to += bytes;
          }
          const nccl::Result ended = api_->group_end();
          return result == nccl::Result::success ? ended : result;
        });
    join(stream, "all_gather");
  }

  void check() override {
    host_->check();
    if (!link_->why_broken().empty()) throw_broken("check");
  }

  void finish() override {
    if (link_->why_broken().empty()) {  // else there is nothing left of it
      settle("finish");
      link_->finalize();
      settle("finish");
      link_->destroy();
    }
    host_->finish();
  }

  void abandon(int exit_code) noexcept override {
    link_->abort("this rank has left");
    host_->abandon(exit_code);
  }

 private:
  /// A sum that may be under way. If nobody waits for it (an error is on its way up the stack), its memory may be about
  /// to be freed: then it is broken off, and with it everything else that GPUs do together.
  struct Sum final : Pending::State {
    explicit Sum(NcclCommunicator& o) : owner(o) {}
    ~Sum() override {
      if (!waited) owner.link_->abort("a sum was left");
    }
    void wait(Stream& stream) override {
      waited = true;
      owner.join(stream, "all_reduce_sum");
    }
    NcclCommunicator& owner;
    bool waited = false;
  };

  /// Opens the library. What goes wrong on one rank, all throw.
  void load() {
    std::string mine;
    try {
      api_ = &nccl::open();
    } catch (const DeviceError& error) {
      mine = error.what();
    }
    throw_together(*host_, mine);
  }

  void join() {
    // Sums in the network's switches have no fixed order. Before NCCL reads it, which it does once; the user's word
    // wins.
    setenv("NCCL_NVLS_ENABLE", "0", /*overwrite=*/0);
    nccl::UniqueId id{};
    std::string mine, word;
    if (is_root()) {
      const nccl::Result made = api_->get_unique_id(&id);
      if (made != nccl::Result::success) mine = fmt::format("ncclGetUniqueId: {}", api_->get_error_string(made));
      word.assign(id.bytes.data(), id.bytes.size());
    }
    throw_together(*host_, mine);
    const std::string of_root = host_->exchange(word).front();
    std::memcpy(id.bytes.data(), of_root.data(), std::min(of_root.size(), id.bytes.size()));
    link_->start(*api_, size(), id, rank());
    const auto end = Time::now() + kJoin;
    while (link_->look() == NcclLink::State::busy && Time::now() < end) pause();
    if (link_->look() == NcclLink::State::busy) {
      link_->abort(
          fmt::format("NCCL did not connect the ranks within {} s; NCCL_DEBUG=INFO tells what it waits for, "
                      "NCCL_SOCKET_IFNAME names the network interface that it is to use",
                      kJoin.count()));
    }
    throw_together(*host_, link_->why_broken());
  }

  using Call = std::function<nccl::Result(nccl::Comm*, void* native)>;

  void queue(Stream& stream, const char* operation, Call work) {
    side_.run(stream, [this, operation, work = std::move(work)](void* native) {
      settle(operation);
      call(operation, [&](nccl::Comm* comm) { return work(comm, native); });
    });
  }

  void call(const char* operation, const std::function<nccl::Result(nccl::Comm*)>& work) {
    link_->call(operation, work);
    if (!link_->why_broken().empty()) throw_broken(operation);
  }

  void join(Stream& stream, const char* operation) {
    side_.join(stream, [this, operation](void*) { settle(operation); });
  }

  /// Returns when NCCL has taken all calls: on cuda they are queued then.
  void settle(const char* operation) {
    for (;;) {
      const NcclLink::State state = link_->look();
      if (state == NcclLink::State::broken) throw_broken(operation);
      if (state == NcclLink::State::ready) break;
      pause();
    }
    if (observed_) end_observed(nullptr);
  }

  void end_observed(void* native) {
    observed_ = false;
    if (native) settle("all_reduce_sum");
    observer()->end_sum(native);
  }

  [[noreturn]] void throw_broken(const char* operation) {
    const auto end = Time::now() + (size() > 1 ? kVerdict : std::chrono::seconds(0));
    do {
      host_->check();
      pause();
    } while (Time::now() < end);
    throw DeviceError(fmt::format("{}: {}", operation, link_->why_broken()));
  }

  void pause() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

  /// Inside a group every call is under way.
  static nccl::Result taken(nccl::Result result) {
    return result == nccl::Result::in_progress ? nccl::Result::success : result;
  }

  std::unique_ptr<Communicator> host_;
  std::shared_ptr<NcclLink> link_;
  const nccl::Api* api_ = nullptr;
  Device device_;
  SideStream side_;
  bool observed_ = false;  ///< a sum whose end the observer has not been told of
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(
    const std::function<std::unique_ptr<Communicator>(FailureOptions)>& open_host, Device device,
    FailureOptions failure) {
  const auto link = std::make_shared<NcclLink>();
  failure.on_loss = [link, on_loss = failure.on_loss] {
    link->abort("a rank was lost");
    if (on_loss) on_loss();
  };
  failure.own_fault = [link] { return link->look() == NcclLink::State::broken ? link->why_broken() : ""; };
  return std::make_unique<NcclCommunicator>(open_host(std::move(failure)), link, device);
}

}  // namespace ascore::dist
