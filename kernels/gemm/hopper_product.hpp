#pragma once

#include "kernels/core/hopper.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/gemm/epilogue.hpp"

/// The product that convolutions run on where there are Hopper's instructions: one thread fetches slices of both
/// operands by bulk copies into a ring of stages, two warpgroups multiply what has come, and blocks, one per
/// multiprocessor, walk over the tiles of the product, fetching the next one while this one is stored.
///
/// What is multiplied is a *problem*, a kernel's parameter:
///
///   Tile                      a HopperTile
///   Operands                  HopperOperands: which of them lie in memory along their rows and not along the depth
///   units                     pieces of work, each a tile (or a part of its depth)
///   Walk(problem, unit)       where the slices of a unit lie: steps, load(problem, a, b, barrier), next(problem)
///   Area(problem, unit)       where its sums go: steps, store(problem, row, column, values, measured), eight at a
///                             time, neighbours in a row, rows and columns counted inside the tile
///   Area::runs(problem), Area::measure(problem, row, column, value)   if kMeasures: the runs of rows whose moments are
///                             wanted, and these, of what store leaves at `measured` in shared memory
///
/// A sum is taken in the order of the depth, 16 at a time, whatever the tile.
namespace ascore::kernels::ASCORE_BACKEND {

/// A block's tile, Rows x Columns, and its shared memory. Operands lie there in pieces of 64 rows by 64 of depth (not
/// turned: lines of depth; turned: lines of rows).
template <int Rows, int Columns>
struct HopperTile {
  static constexpr int kRows = Rows, kColumns = Columns;
  static constexpr int kDepth = 64, kStages = 4;
  static constexpr int kConsumers = 2;  ///< warpgroups that multiply, each half of the rows; one more fetches
  static constexpr int kThreads = 128 * (kConsumers + 1);
  static constexpr int kBlocks = Rows / (64 * kConsumers);  ///< of 64 rows, per consumer
  static constexpr int kPieceBytes = 64 * kDepth * 2;
  static constexpr int kBytesA = Rows / 64 * kPieceBytes, kBytesB = Columns / 64 * kPieceBytes;
  static constexpr int kStageBytes = kBytesA + kBytesB;
  static constexpr int kPanelColumns = 64;  ///< of sums, 16 rows, on their way from a warp's registers to memory
  static constexpr int kPanelFloats = 16 * kPanelColumns;
  static constexpr int kWarps = 4 * kConsumers;
  static constexpr int kAlignment = 1024;
  static constexpr int kSharedBytes = kAlignment + kStages * kStageBytes + kWarps * kPanelFloats * int(sizeof(float)) +
                                      2 * kStages * int(sizeof(uint64_t));
  // What the 64 K registers of a multiprocessor are worth to one block: few to fetch, many to hold sums.
  static constexpr int kFetchRegisters = 40, kSumRegisters = 232;
  static_assert(128 * (kFetchRegisters + kConsumers * kSumRegisters) <= 64 * 1024);
  static_assert(kBlocks >= 1 && kBlocks * Columns / 2 <= 128 && kSharedBytes <= 227 * 1024);
};

template <bool TurnedA, bool TurnedB>
struct HopperOperands {
  static constexpr bool kTurnedA = TurnedA, kTurnedB = TurnedB;
};

/// A block's shared memory.
template <class Tile>
class HopperShared {
 public:
  __device__ __forceinline__ HopperShared() {
    // Steps from the array's start: of an address made of a number, the compiler does not know that it is shared
    // memory.
    unsigned char* const start = dynamic_shared<unsigned char>();
    stages_ = start + (-shared_address(start) & (Tile::kAlignment - 1));
  }
  __device__ __forceinline__ unsigned char* a(int stage) const { return stages_ + stage * Tile::kStageBytes; }
  __device__ __forceinline__ unsigned char* b(int stage) const { return a(stage) + Tile::kBytesA; }
  __device__ __forceinline__ float* panel(int warp) const {
    return reinterpret_cast<float*>(a(Tile::kStages)) + warp * Tile::kPanelFloats;
  }
  /// Over when a stage's slices have come; and when all warps have done with them.
  __device__ __forceinline__ uint64_t* full(int stage) const {
    return reinterpret_cast<uint64_t*>(panel(Tile::kWarps)) + stage;
  }
  __device__ __forceinline__ uint64_t* empty(int stage) const { return full(Tile::kStages + stage); }

  /// One thread, then __syncthreads.
  __device__ __forceinline__ void make_barriers() const {
    for (int stage = 0; stage < Tile::kStages; ++stage) {
      mbarrier_init(full(stage), 1);
      mbarrier_init(empty(stage), Tile::kWarps);
    }
    fence_mbarrier_init();
  }

 private:
  unsigned char* stages_;
};

/// A place in the ring of stages, and the parity of the round that it is in.
template <class Tile>
struct RingPlace {
  int stage = 0;
  unsigned parity = 0;
  __device__ __forceinline__ void advance() {
    if (++stage < Tile::kStages) return;
    stage = 0;
    parity ^= 1;
  }
};

/// One thread: fetches the slices of all units of the block, as stages become empty.
template <class Problem>
__device__ __forceinline__ void fetch_slices(const Problem& problem,
                                             const HopperShared<typename Problem::Tile>& shared) {
  using Tile = typename Problem::Tile;
  RingPlace<Tile> place;
  for (int unit = int(blockIdx.x); unit < problem.units; unit += int(gridDim.x)) {
    typename Problem::Walk walk(problem, unit);
    for (int left = walk.steps; left > 0; --left) {
      mbarrier_wait(shared.empty(place.stage),
                    place.parity ^ 1);  // of the round before; there is none before the first
      mbarrier_arrive_expect(shared.full(place.stage), Tile::kStageBytes);
      walk.load(problem, shared.a(place.stage), shared.b(place.stage), shared.full(place.stage));
      walk.next(problem);
      place.advance();
    }
  }
}

/// The moments of runs of the 16 rows that a warp has left in a panel of 64 columns.
template <class Problem, class Area, class At>
__device__ __forceinline__ void measure_panel(const Problem& problem, const Area& area, int first_row, int first_column,
                                              const RunMomentsSink& runs, const At& at) {
  constexpr int kColumns = Problem::Tile::kPanelColumns;
  const int lane = int(threadIdx.x) % 32;
  __syncwarp();  // all have left their values
#pragma unroll 1
  for (int i = lane; i < (16 >> runs.log_length) * kColumns; i += 32) {
    const int row = i / kColumns << runs.log_length, column = i % kColumns;
    area.measure(problem, first_row + row, first_column + column, [&](int r) { return *at(row + r, column); });
  }
}

/// A warp's 16 rows of a block of sums: through a panel of shared memory of its own, so that whole chunks of
/// neighbours are stored. Runs of eight are permuted by row: rows written together do not meet in a bank.
template <class Tile, class Problem, class Area>
__device__ __forceinline__ void store_rows(const Problem& problem, const Area& area, int first_row, float* panel,
                                           const float (&sums)[Tile::kColumns / 2]) {
  constexpr int kColumns = Tile::kPanelColumns, kChunks = kColumns / 8;
  const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const auto at = [&](int row, int column) { return panel + row * kColumns + (column ^ row % kChunks * 8); };
#pragma unroll
  for (int first = 0; first < Tile::kColumns; first += kColumns) {
    __syncwarp();  // all have left the panel before
#pragma unroll
    for (int column = 0; column < kColumns; column += 8) {
      const int r = (first + column) / 2;
      *reinterpret_cast<float2*>(at(g, column + 2 * t)) = make_float2(sums[r], sums[r + 1]);
      *reinterpret_cast<float2*>(at(g + 8, column + 2 * t)) = make_float2(sums[r + 2], sums[r + 3]);
    }
    __syncwarp();
#pragma unroll 1
    for (int i = lane; i < 16 * kChunks; i += 32) {
      const int row = i / kChunks, column = i % kChunks * 8;
      float* const place = at(row, column);
      const float4* const from = reinterpret_cast<const float4*>(place);
      const float4 low = from[0], high = from[1];
      float values[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
      area.store(problem, first_row + row, first + column, values, place);
    }
    if constexpr (Area::kMeasures) {
      if (area.runs(problem).wanted()) measure_panel(problem, area, first_row, first, area.runs(problem), at);
    }
  }
}

/// One of the warpgroups that multiply: its half of the rows of every unit of the block.
template <class Problem>
__device__ __forceinline__ void multiply_units(const Problem& problem,
                                               const HopperShared<typename Problem::Tile>& shared, int consumer) {
  using Tile = typename Problem::Tile;
  using Operands = typename Problem::Operands;
  constexpr unsigned kStepA = Operands::kTurnedA ? kTurnedStepBytes : kStepBytes;
  constexpr unsigned kStepB = Operands::kTurnedB ? kTurnedStepBytes : kStepBytes;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  RingPlace<Tile> place;
  for (int unit = int(blockIdx.x); unit < problem.units; unit += int(gridDim.x)) {
    const typename Problem::Area area(problem, unit);
    float sums[Tile::kBlocks][Tile::kColumns / 2] = {};
    int last_stage = 0;
    for (int step = 0; step < area.steps; ++step) {
      mbarrier_wait(shared.full(place.stage), place.parity);
      const uint64_t a = shared_operand(shared.a(place.stage) + consumer * Tile::kBlocks * Tile::kPieceBytes);
      const uint64_t b = shared_operand(shared.b(place.stage), Tile::kPieceBytes);
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < Tile::kDepth / 16; ++k) {
#pragma unroll
        for (int block = 0; block < Tile::kBlocks; ++block) {
          wgmma<Operands::kTurnedA, Operands::kTurnedB>(
              sums[block], operand_at(a, block * Tile::kPieceBytes + k * kStepA), operand_at(b, k * kStepB));
        }
      }
      wgmma_commit();
      wgmma_wait<1>();  // this slice's products go on; those of the one before are done
      if (step > 0 && lane == 0) mbarrier_arrive(shared.empty(last_stage));
      last_stage = place.stage;
      place.advance();
    }
    wgmma_wait<0>();
    if (lane == 0) mbarrier_arrive(shared.empty(last_stage));
#pragma unroll
    for (int block = 0; block < Tile::kBlocks; ++block) {
      wgmma_settle(sums[block]);
      store_rows<Tile>(problem, area, (consumer * Tile::kBlocks + block) * 64 + warp % 4 * 16, shared.panel(warp),
                       sums[block]);
    }
  }
}

template <class Problem>
__global__ void __launch_bounds__(Problem::Tile::kThreads, 1)
    hopper_product_kernel(const __grid_constant__ Problem problem) {
  if constexpr (!kHopperCode) {
    stop_here();
  } else {
    using Tile = typename Problem::Tile;
    const HopperShared<Tile> shared;
    if (threadIdx.x == 0) shared.make_barriers();
    __syncthreads();
    const int warpgroup = int(threadIdx.x) / 128;
    if (warpgroup == Tile::kConsumers) {
      registers_decrease<Tile::kFetchRegisters>();
      if (threadIdx.x % 128 == 0) fetch_slices(problem, shared);
    } else {
      registers_increase<Tile::kSumRegisters>();
      multiply_units(problem, shared, warpgroup);
    }
  }
}

/// Starts it on `multiprocessors` blocks at most.
template <class Problem>
void multiply_on_hopper(Stream& stream, const Problem& problem, int multiprocessors) {
  const int blocks = problem.units < multiprocessors ? problem.units : multiprocessors;
  launch(hopper_product_kernel<Problem>, static_cast<unsigned>(blocks), Problem::Tile::kThreads,
         Problem::Tile::kSharedBytes, stream, problem);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
