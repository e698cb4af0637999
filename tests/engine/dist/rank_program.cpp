// One rank of a job, as tests start it: by itself or under mpirun.
//   rank_program MODE FOLDER [--rank R --world-size N --rendezvous HOW] [--peer-timeout S] [--device cpu|simt]
// Leaves its process id in FOLDER/pid.RANK and its last words in FOLDER/words.RANK; exits with 7 if a peer was lost,
// with 6 if ranks could not be joined.
//   cases   all collectives against plain loops
//   forever sums until something happens to a peer
//   busy    rank 0 computes for 5 s while the others wait, then all end
//   stuck   the others never look at what happened to a peer
//   fails   rank 1 throws an error of its own, the others sum
//   hung    as forever, but after a while the transport hangs, as a library can
//   endless the transport hangs in its last call
//   buckets sums of gradients by buckets, run at once and replayed from a captured step
#include "engine/dist/gradient_buckets.hpp"
#include "engine/dist/launch.hpp"
#include "engine/dist/peer_lost.hpp"
#include "engine/dist/shared_failure.hpp"
#include "engine/dist/tcp_transport.hpp"
#include "kernels/core/graph.hpp"
#include "tests/engine/dist/collective_cases.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>

using namespace ascore;

namespace {

struct Arguments {
  std::string mode;
  std::filesystem::path folder;
  LaunchFlags flags;
  double peer_timeout = 20;
  Device device = Device::cpu;
};

Arguments parse(int argc, char** argv) {
  if (argc < 3) throw Error("rank_program MODE FOLDER [--rank R --world-size N --rendezvous HOW] [--peer-timeout S]");
  Arguments arguments{argv[1], argv[2], {}};
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string option = argv[i], value = argv[i + 1];
    if (option == "--rank") arguments.flags.rank = std::stoi(value);
    if (option == "--world-size") arguments.flags.world_size = std::stoi(value);
    if (option == "--rendezvous") arguments.flags.rendezvous = value;
    if (option == "--peer-timeout") arguments.peer_timeout = std::stod(value);
    if (option == "--device" && value == "simt") arguments.device = Device::simt;
  }
  return arguments;
}

void sum_forever(Communicator& ranks, Device device) {
  Stream stream(device, {.threads = 1});
  std::vector<float> values(10000, 1.f);
  for (;;) ranks.all_reduce_sum(stream, View(values.data(), {10000}, DType::f32, device));
}

/// One backward's worth: gradients become final from their end, in runs that are no multiple of a bucket.
void sum_buckets(Communicator& ranks, Stream& stream, View gradients) {
  GradientBuckets buckets(ranks, 100 * sizeof(float));
  buckets.begin(gradients);
  for (int64_t end = gradients.count(); end > 0; end -= 37) buckets.ready(stream, std::max<int64_t>(0, end - 37), end);
  buckets.wait(stream);
}

void check_buckets(Communicator& ranks, Device device) {
  Stream stream(device, {.threads = 1});
  std::vector<float> values(1003), wanted(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i) + static_cast<float>(ranks.rank());
    for (int r = 0; r < ranks.size(); ++r) wanted[i] += static_cast<float>(i) + static_cast<float>(r);
  }
  const View gradients(values.data(), {1003}, DType::f32, device);
  sum_buckets(ranks, stream, gradients);
  if (values != wanted) throw Error("buckets do not add up to a plain sum");
  if (!ranks.queues_on(device)) return;
  const Graph graph = Graph::capture(stream, [&] { sum_buckets(ranks, stream, gradients); });
  if (values != wanted) throw Error("a captured sum has run");
  for (int replay = 0; replay < 2; ++replay) {
    for (float& value : wanted) value *= static_cast<float>(ranks.size());  // all have the same
    graph.replay(stream);
    if (values != wanted) throw Error("a replayed sum is not that of the buckets");
  }
}

void sleep_for(int seconds) {
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
}

/// Another transport that hangs after some messages, or in its last call, without ever asking whether it shall break
/// off.
class Hanging final : public dist::Transport {
 public:
  Hanging(std::unique_ptr<dist::Transport> inner, bool at_the_end)
      : inner_(std::move(inner)), at_the_end_(at_the_end) {}
  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string kind() const override { return inner_->kind(); }
  void exchange(uint64_t tag, std::span<const dist::Outgoing> send, std::span<const dist::Incoming> receive,
                const Poll& poll) override {
    if (!at_the_end_ && ++calls_ > 50) sleep_for(600);
    inner_->exchange(tag, send, receive, poll);
  }
  void finish() override {
    if (at_the_end_) sleep_for(600);
    inner_->finish();
  }
  void abort(int exit_code) noexcept override { inner_->abort(exit_code); }

 private:
  std::unique_ptr<dist::Transport> inner_;
  bool at_the_end_;
  int calls_ = 0;
};

std::unique_ptr<Communicator> join(const Arguments& arguments, const Placement& placement,
                                   const dist::FailureOptions& failure) {
  const bool at_the_end = arguments.mode == "endless";
  if (arguments.mode != "hung" && !at_the_end) return make_communicator(placement, arguments.device, failure);
  dist::Meeting meeting;
  meeting.file = placement.rendezvous.path;
  const auto open = [&] {
    return std::make_unique<Hanging>(dist::make_tcp_transport(meeting, placement.rank, placement.size), at_the_end);
  };
  return dist::make_host_communicator(open, placement.local_rank, failure);
}

void work(Communicator& ranks, const std::string& mode, Device device) {
  if (mode == "cases") test::CollectiveCases(ranks, device).run();
  if (mode == "buckets") check_buckets(ranks, device);
  if (mode == "forever" || mode == "hung") sum_forever(ranks, device);
  if (mode == "stuck") sleep_for(600);
  if (mode == "busy" && ranks.rank() == 0) sleep_for(5);
  if (mode == "fails") ranks.barrier();  // all have started: what comes is a loss, not a start that failed
  if (mode == "fails" && ranks.rank() == 1) throw Error("an error of rank 1");
  if (mode == "fails") sum_forever(ranks, device);
  ranks.finish();
}

/// The whole file appears at once, so that whoever waits for it reads all of it.
void leave(const std::filesystem::path& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / (name + ".part")) << text;
  std::filesystem::rename(folder / (name + ".part"), folder / name);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse(argc, argv);
    const Placement placement = find_placement(arguments.flags, [](const char* name) { return std::getenv(name); });
    const std::string rank = std::to_string(placement.rank);
    const auto lost = [&](const PeerLostError& error) {
      leave(arguments.folder, "words." + rank, error.what());
      if (placement.rendezvous.kind != Rendezvous::Kind::mpi) _exit(7);
    };
    const auto ranks = join(arguments, placement, {.peer_timeout = arguments.peer_timeout, .grace = 1, .leave = lost});
    leave(arguments.folder, "pid." + rank, std::to_string(getpid()));
    try {
      work(*ranks, arguments.mode, arguments.device);
      leave(arguments.folder, "words." + rank, "done by " + ranks->kind());
      return 0;
    } catch (const PeerLostError& error) {
      leave(arguments.folder, "words." + rank, error.what());
      ranks->abandon(7);
      return 7;
    } catch (const Error& error) {
      leave(arguments.folder, "words." + rank, error.what());
      ranks->abandon(4);
      return 4;
    }
  } catch (const dist::SharedDeviceError& error) {
    if (error.speaks()) fmt::print(stderr, "rank_program: {}\n", error.what());
    return 6;
  } catch (const std::exception& error) {
    fmt::print(stderr, "rank_program: {}\n", error.what());
    return 1;
  }
}
