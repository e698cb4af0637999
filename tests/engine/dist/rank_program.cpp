// One rank of a job, as tests start it: by itself or under mpirun.
//   rank_program MODE FOLDER [--rank R --world-size N --rendezvous HOW] [--peer-timeout S]
// Leaves its process id in FOLDER/pid.RANK and its last words in FOLDER/words.RANK; exits with 7 if a peer was lost.
//   cases   all collectives against plain loops
//   forever sums until something happens to a peer
//   busy    rank 0 computes for 5 s while the others wait, then all end
//   stuck   the others never look at what happened to a peer
//   fails   rank 1 throws an error of its own, the others sum
#include "engine/dist/launch.hpp"
#include "engine/dist/peer_lost.hpp"
#include "tests/engine/dist/collective_cases.hpp"

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
  }
  return arguments;
}

void sum_forever(Communicator& ranks) {
  Stream stream(Device::cpu, {.threads = 1});
  std::vector<float> values(10000, 1.f);
  for (;;) ranks.all_reduce_sum(stream, View(values.data(), {10000}, DType::f32, Device::cpu));
}

void sleep_for(int seconds) {
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
}

void work(Communicator& ranks, const std::string& mode) {
  if (mode == "cases") test::CollectiveCases(ranks).run();
  if (mode == "forever") sum_forever(ranks);
  if (mode == "stuck") sleep_for(600);
  if (mode == "busy" && ranks.rank() == 0) sleep_for(5);
  if (mode == "fails" && ranks.rank() == 1) throw Error("an error of rank 1");
  if (mode == "fails") sum_forever(ranks);
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
    const auto ranks =
        make_communicator(placement, Device::cpu, {.peer_timeout = arguments.peer_timeout, .grace = 1, .leave = lost});
    leave(arguments.folder, "pid." + rank, std::to_string(getpid()));
    try {
      work(*ranks, arguments.mode);
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
  } catch (const std::exception& error) {
    fmt::print(stderr, "rank_program: {}\n", error.what());
    return 1;
  }
}
