#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ascore::kernels::simt {

/// A rule of the asynchronous instructions that thread `thread` of the block has broken; the scheduler makes a
/// KernelError of it.
struct BrokenRule {
  unsigned thread;
  std::string what;
};

/// An mbarrier: a phase is over when all have arrived and all expected bytes have come.
struct Mbarrier {
  unsigned arrivals = 0;       ///< that a phase needs
  unsigned pending = 0;        ///< arrivals that are missing
  int64_t bytes = 0;           ///< that are expected and have not come; negative: they came first
  uint64_t phases = 0;         ///< that are over
  unsigned maker = 0;          ///< the thread that made it,
  uint64_t made_after = 0;     ///< after so many barriers of the block,
  bool fenced = false;         ///< and has called fence_mbarrier_init since
  std::vector<uint64_t> seen;  ///< by thread: the phases that it knows to be over
};

/// The mbarriers of the block that runs, by their address in its window of shared memory.
class Mbarriers {
 public:
  explicit Mbarriers(unsigned threads) : threads_(threads) {}

  void make(unsigned thread, uint32_t address, unsigned arrivals, uint64_t block_barriers);
  void fence(unsigned thread);
  /// The mbarrier at `address`, for thread `thread`. Throws BrokenRule if there is none, or none for it yet.
  Mbarrier& use(unsigned thread, uint32_t address, uint64_t block_barriers);
  static void arrive(Mbarrier& barrier, unsigned thread, int64_t bytes);
  static void complete(Mbarrier& barrier, int64_t bytes);
  /// True if the phase of parity `parity` is over; the thread knows it then.
  static bool passed(Mbarrier& barrier, unsigned thread, unsigned parity);
  /// What the running phase lacks, in words.
  static std::string missing(const Mbarrier& barrier);

 private:
  unsigned threads_;
  std::map<uint32_t, Mbarrier> all_;
};

}  // namespace ascore::kernels::simt
