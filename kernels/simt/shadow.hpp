#pragma once

#include <cstdint>

/// Shadow memory: what the emulator remembers of every element that a kernel may touch, and the rules by which two
/// accesses to it are ordered. An *era* is the stretch between two barriers of one block; blocks run one after another,
/// so eras, numbered over all launches of a stream, tell blocks and launches apart. Inside an era, __syncwarp divides a
/// warp's accesses into *steps*; shuffles order nothing, as the programming guide says.
namespace ascore::kernels::simt {

/// Who accesses memory, and when.
struct AccessTime {
  uint32_t era = 0, block_start = 0, launch_start = 0;
  uint16_t thread = 0, step = 0;
};

/// The last accesses to one element. Who wrote or read is the number of a thread (below 1024), or a crowd below.
struct ShadowCell {
  uint32_t write_era, read_era, first_read_era;
  uint16_t writer, reader, write_step, read_step;
};

inline constexpr uint16_t kAtomicWriter = 0x4000;    ///< + thread
inline constexpr uint16_t kAtomicWriters = 0x7fff;   ///< several threads
inline constexpr uint16_t kReadersOfWarp = 0x8000;   ///< + warp: several of its lanes, none before the last step
inline constexpr uint16_t kReadersOfBlock = 0xffff;  ///< threads of several warps

enum class Fault : uint8_t { none, uninitialised, read_races_write, write_races_write, write_races_read };

/// A rule that an access breaks, and the other access of a race.
struct Finding {
  Fault fault = Fault::none;
  uint32_t other_era = 0;
  uint16_t other = 0;
};

/// Which rules hold for an element: accesses since `conflicts_since` can conflict, and it must have been written since
/// `written_since` to be read (0: no rule).
struct ShadowRules {
  uint32_t conflicts_since, written_since;
  bool races;
};

/// True if what `who` did in step `step` of the current era comes before what the current thread does now.
inline bool ordered_in_era(uint16_t who, uint16_t step, const AccessTime& now) {
  if (who == kReadersOfBlock || who == kAtomicWriters) return false;
  if (who & kReadersOfWarp) return (who & 0x1f) == now.thread / 32 && step < now.step;
  const uint16_t thread = who & 0x3ff;
  return thread == now.thread || (thread / 32 == now.thread / 32 && step < now.step);
}

/// The same for an access of any era that can conflict.
inline bool ordered(uint32_t era, uint16_t who, uint16_t step, const AccessTime& now) {
  if (era < now.block_start) return false;  // another block of this launch
  return era < now.era || ordered_in_era(who, step, now);
}

inline bool is_atomic(uint16_t writer) {
  return (writer & (kReadersOfWarp | kAtomicWriter)) == kAtomicWriter;
}

inline void remember_read(ShadowCell& cell, const ShadowRules& rules, const AccessTime& now) {
  if (cell.first_read_era < rules.conflicts_since) cell.first_read_era = now.era;
  if (cell.read_era != now.era || ordered_in_era(cell.reader, cell.read_step, now)) {
    cell.reader = now.thread;
  } else {
    const bool crowd = cell.reader & kReadersOfWarp;
    const int warp = cell.reader == kReadersOfBlock ? -1 : crowd ? cell.reader & 0x1f : cell.reader / 32;
    cell.reader = warp == now.thread / 32 ? static_cast<uint16_t>(kReadersOfWarp | warp) : kReadersOfBlock;
  }
  cell.read_era = now.era;
  cell.read_step = now.step;
}

inline Finding read_cell(ShadowCell& cell, const ShadowRules& rules, const AccessTime& now) {
  // What many threads have read since the barrier, and nobody written: all that follows has been found in order.
  if (cell.read_era == now.era && cell.reader == kReadersOfBlock && cell.write_era != now.era) return {};
  if (cell.write_era < rules.written_since) return {Fault::uninitialised};
  if (rules.races && cell.write_era >= rules.conflicts_since &&
      !ordered(cell.write_era, cell.writer, cell.write_step, now)) {
    return {Fault::read_races_write, cell.write_era, cell.writer};
  }
  remember_read(cell, rules, now);
  return {};
}

inline Finding write_cell(ShadowCell& cell, const ShadowRules& rules, const AccessTime& now, bool atomic) {
  if (atomic && cell.write_era < rules.written_since) return {Fault::uninitialised};
  const bool written = cell.write_era >= rules.conflicts_since && cell.write_era != 0;
  const bool after_writer = !written || ordered(cell.write_era, cell.writer, cell.write_step, now);
  const bool both_atomic = atomic && is_atomic(cell.writer);
  if (rules.races) {
    if (!after_writer && !both_atomic) return {Fault::write_races_write, cell.write_era, cell.writer};
    if (cell.read_era >= rules.conflicts_since) {
      // Blocks run in order: if another one has read the element, the first reader was of another one.
      if (cell.first_read_era < now.block_start) return {Fault::write_races_read, cell.first_read_era, kReadersOfBlock};
      if (!ordered(cell.read_era, cell.reader, cell.read_step, now)) {
        return {Fault::write_races_read, cell.read_era, cell.reader};
      }
    }
  }
  const auto alone = static_cast<uint16_t>(atomic ? kAtomicWriter | now.thread : now.thread);
  cell.writer = !after_writer && both_atomic ? kAtomicWriters : alone;
  cell.write_era = now.era;
  cell.write_step = now.step;
  return {};
}

}  // namespace ascore::kernels::simt
