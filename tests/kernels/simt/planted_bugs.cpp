#include "tests/kernels/simt/planted_bugs.hpp"

#include "kernels/core/kernel.hpp"
#include "kernels/core/op_scope.hpp"

/// Compiled as the emulated device's objects are: the compiler reports every load and store.
namespace ascore::test {

namespace {

using namespace kernels::simt;

constexpr int kThreads = kPlantedCount / 2;

__device__ int element() {
  return static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
}

__global__ void reads_past_the_end(const float* in, float* out) {
  out[element()] = in[element() + 1];
}
__global__ void writes_past_the_end(const float* in, float* out) {
  out[element() + 1] = in[element()];
}
__global__ void writes_its_input(const float* in, float* out) {
  out[element()] = 0;
  const_cast<float*>(in)[element()] = 1;
}
__global__ void reads_past_a_shared_array(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncthreads();
  out[element()] = tile[threadIdx.x + 1];
}
__global__ void writes_before_dynamic_shared_memory(const float* in, float* out) {
  float* const tile = dynamic_shared<float>();
  tile[int(threadIdx.x) - 1] = in[element()];
  out[element()] = 0;
}
__global__ void loads_a_vector_at_an_odd_place(const float* in, float* out) {
  const float4 four = *reinterpret_cast<const float4*>(in + threadIdx.x);
  out[element()] = four.x + four.w;
}
__global__ void reads_fresh_shared_memory(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  if (threadIdx.x != 7) tile[threadIdx.x] = in[element()];
  __syncthreads();
  out[element()] = tile[threadIdx.x];
}
__global__ void adds_to_its_output(const float* in, float* out) {
  out[element()] += in[element()];
}
__global__ void forgets_a_barrier(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncthreads();
  tile[threadIdx.x] *= 2;
  out[element()] = tile[kThreads - 1 - threadIdx.x];
}
/// Every lane reads before one writes again: the other order of the same mistake.
__global__ void forgets_the_second_barrier(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncthreads();
  out[element()] = tile[0];
  if (threadIdx.x == 0) tile[0] = 1;
}
/// A shuffle lets the lanes meet, and orders no memory.
__global__ void takes_a_shuffle_for_a_barrier(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncwarp();
  tile[threadIdx.x] = 2 * __shfl_xor_sync(kFullWarp, tile[threadIdx.x], 1);
  __shfl_xor_sync(kFullWarp, 0, 1);
  out[element()] = tile[threadIdx.x ^ 2];
}
/// __syncwarp orders the lanes of one warp, and nobody else's.
__global__ void takes_a_warp_for_a_block(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncthreads();
  tile[threadIdx.x] *= 2;
  __syncwarp();
  out[element()] = tile[threadIdx.x ^ 32];
}
__global__ void writes_what_another_block_writes(const float* in, float* out) {
  out[threadIdx.x] = in[element()];
}
__global__ void reads_what_another_block_writes(const float* in, float* out) {
  out[element()] = in[element()];
  __syncthreads();
  if (blockIdx.x == 1) out[element()] += out[threadIdx.x];
}
__global__ void writes_what_another_block_reads(const float* in, float* out) {
  out[element()] = in[element()] + (blockIdx.x == 0 ? out[element() + kThreads] : 0.0f);
}
__global__ void reads_beside_an_atomic(const float* in, float* out) {
  out[element()] = in[element()];
  __syncthreads();
  atomicAdd(out + blockIdx.x * kThreads, 1.0f);
  if (threadIdx.x == 9) out[element()] = out[blockIdx.x * kThreads];
}
__global__ void leaves_a_barrier_out(const float* in, float* out) {
  out[element()] = in[element()];
  if (threadIdx.x != 37) __syncthreads();
}

/// What `forgets_a_barrier` and its kin should be.
__global__ void reverses_by_barriers(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncthreads();
  const float other = tile[kThreads - 1 - threadIdx.x];
  __syncthreads();
  tile[threadIdx.x] = 2 * other;
  __syncthreads();
  out[element()] = tile[0] + tile[threadIdx.x];
}
__global__ void meets_in_its_warp(const float* in, float* out) {
  float* const tile = shared_array<float, kThreads>();
  tile[threadIdx.x] = in[element()];
  __syncwarp();
  const float first = tile[threadIdx.x / 32 * 32];
  __syncwarp();
  if (threadIdx.x % 32 == 0) tile[threadIdx.x] = first + 1;
  __syncwarp();
  out[element()] = tile[threadIdx.x / 32 * 32];
}
/// A block may exchange values through global memory too; what it has written itself it may read.
__global__ void exchanges_through_its_output(const float* in, float* out) {
  out[element()] = in[element()];
  __syncthreads();
  const float other = out[blockIdx.x * kThreads + (threadIdx.x + 1) % kThreads];
  __syncthreads();
  out[element()] = other;
}
__global__ void counts_by_atomics(const float* in, float* out) {
  if (threadIdx.x == 0) out[blockIdx.x] = in[0];
  __syncthreads();
  atomicAdd(out + blockIdx.x, 1.0f);
  __syncthreads();
  if (threadIdx.x == 0) out[blockIdx.x + 2] = out[blockIdx.x];
}
__global__ void moves_whole_vectors(const float* in, float* out) {
  if (threadIdx.x % 4 == 0) {
    *reinterpret_cast<float4*>(out + element()) = *reinterpret_cast<const float4*>(in + element());
  }
}
/// One array as floats and as halves of them.
__global__ void uses_dynamic_memory_as_two_types(const float* in, float* out) {
  float* const floats = dynamic_shared<float>();
  floats[threadIdx.x] = in[element()];
  __syncthreads();
  uint16_t* const halves = dynamic_shared<uint16_t>();
  const uint16_t upper = halves[2 * threadIdx.x + 1];
  __syncthreads();
  halves[threadIdx.x] = upper;  // two threads share a float
  __syncthreads();
  out[element()] = static_cast<float>(halves[threadIdx.x ^ 1]);
}
/// A table of the program's constants, indexed so that no compiler folds it.
__global__ void looks_up_constants(const float* in, float* out) {
  static constexpr float kTable[] = {1, 2, 4, 8, 16, 32, 64, 128};
  out[element()] = in[element()] * kTable[threadIdx.x % 8];
}

template <void (*Kernel)(const float*, float*), OpArgument::Use use = OpArgument::Use::output>
void run(Stream& stream, ConstView in, View out) {
  const OpScope op(stream, "planted", {in, OpArgument(out, use)});
  launch(Kernel, 2, kThreads, kThreads * sizeof(float), stream, in.as<float>(), out.as<float>());
}

#define ASCORE_PLANTED(KERNEL) \
  { #KERNEL, run < KERNEL> }

constexpr PlantedBug kBugs[] = {
    {ASCORE_PLANTED(reads_past_the_end), &SimtChecks::bounds, "0 bytes past the end of argument 1"},
    {ASCORE_PLANTED(writes_past_the_end), &SimtChecks::bounds, "0 bytes past the end of argument 2"},
    {ASCORE_PLANTED(writes_its_input), &SimtChecks::bounds,
     "argument 1 of the operation, f32[128], which the operation takes as read-only"},
    {ASCORE_PLANTED(reads_past_a_shared_array), &SimtChecks::bounds,
     "0 bytes past the end of shared array 0 (256 bytes)"},
    {ASCORE_PLANTED(writes_before_dynamic_shared_memory), &SimtChecks::bounds, "4 bytes before dynamic shared memory"},
    {ASCORE_PLANTED(loads_a_vector_at_an_odd_place), &SimtChecks::alignment, "misaligned, not a multiple of 16"},
    {ASCORE_PLANTED(reads_fresh_shared_memory), &SimtChecks::initialised, "thread (7,0,0) reads 4 bytes at"},
    {ASCORE_PLANTED(adds_to_its_output), &SimtChecks::initialised,
     "which the operation has not written: uninitialised"},
    {ASCORE_PLANTED(forgets_a_barrier), &SimtChecks::races, "in the same stretch between barriers: a race"},
    {ASCORE_PLANTED(forgets_the_second_barrier), &SimtChecks::races, "in the same stretch between barriers: a race"},
    {ASCORE_PLANTED(takes_a_shuffle_for_a_barrier), &SimtChecks::races, "in the same stretch between barriers: a race"},
    {ASCORE_PLANTED(takes_a_warp_for_a_block), &SimtChecks::races, "in the same stretch between barriers: a race"},
    {ASCORE_PLANTED(writes_what_another_block_writes), &SimtChecks::races, "that block (0,0,0) thread"},
    {ASCORE_PLANTED(reads_what_another_block_writes), &SimtChecks::races, "writes in the same launch: a race"},
    {{"writes_what_another_block_reads", run<writes_what_another_block_reads, OpArgument::Use::in_out>},
     &SimtChecks::races,
     "reads in the same launch: a race"},
    {ASCORE_PLANTED(reads_beside_an_atomic), &SimtChecks::races, "a race"},
    {ASCORE_PLANTED(leaves_a_barrier_out), &SimtChecks::barriers, "divergent barrier"},
};

constexpr PlantedKernel kSound[] = {
    ASCORE_PLANTED(reverses_by_barriers),         ASCORE_PLANTED(meets_in_its_warp),
    ASCORE_PLANTED(exchanges_through_its_output), ASCORE_PLANTED(counts_by_atomics),
    ASCORE_PLANTED(moves_whole_vectors),          ASCORE_PLANTED(uses_dynamic_memory_as_two_types),
    ASCORE_PLANTED(looks_up_constants),
};

}  // namespace

std::span<const PlantedBug> planted_bugs() {
  return kBugs;
}
std::span<const PlantedKernel> sound_kernels() {
  return kSound;
}

}  // namespace ascore::test
