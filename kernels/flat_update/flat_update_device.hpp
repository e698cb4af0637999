#pragma once

#include "kernels/core/kernel.hpp"
#include "kernels/flat_update/flat_update.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

/// Four floats that move in one 16-byte load or store. Loops over them have constant bounds, also in a run that is
/// shorter: an array indexed at run time would lie in memory instead of registers.
struct alignas(16) FourFloats {
  float at[4];
};

/// A thread's run of up to four adjacent elements; whole and aligned runs move as one word.
__device__ __forceinline__ FourFloats load_run(const float* from, int count, bool whole) {
  if (whole) return *reinterpret_cast<const FourFloats*>(from);
  FourFloats run = {};
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (k < count) run.at[k] = from[k];
  }
  return run;
}
__device__ __forceinline__ void store_run(float* to, const FourFloats& run, int count, bool whole) {
  if (whole) {
    *reinterpret_cast<FourFloats*>(to) = run;
    return;
  }
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (k < count) to[k] = run.at[k];
  }
}

struct FlatPointers {
  float* parameters;
  const float* gradients;
  float* states[FlatUpdate::kMaxStates];
  float* ema;
  const double* scalars;
  const double* halted;  ///< null: never
  bool aligned;          ///< every buffer starts at a multiple of 16 bytes
};

inline constexpr int kFlatThreads = 256;

/// Thread i updates elements 4i .. 4i+3.
template <class Rule>
__global__ void flat_update_kernel(FlatPointers to, Rule rule, float complement, int64_t count) {
  const int64_t first = 4 * (int64_t(blockIdx.x) * kFlatThreads + threadIdx.x);
  if (first >= count || (to.halted && *to.halted != 0)) return;
  const int run = count - first < 4 ? int(count - first) : 4;
  const bool whole = to.aligned && run == 4;
  float scalars[Rule::kScalars + 1];
  for (int k = 0; k < Rule::kScalars; ++k) scalars[k] = static_cast<float>(to.scalars[k]);
  FourFloats p = load_run(to.parameters + first, run, whole);
  const FourFloats g = load_run(to.gradients + first, run, whole);
  FourFloats states[Rule::kStates + 1];
  for (int k = 0; k < Rule::kStates; ++k) states[k] = load_run(to.states[k] + first, run, whole);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    float state[Rule::kStates + 1];
    for (int k = 0; k < Rule::kStates; ++k) state[k] = states[k].at[i];
    p.at[i] = rule(p.at[i], g.at[i], state, scalars);
    for (int k = 0; k < Rule::kStates; ++k) states[k].at[i] = state[k];
  }
  store_run(to.parameters + first, p, run, whole);
  for (int k = 0; k < Rule::kStates; ++k) store_run(to.states[k] + first, states[k], run, whole);
  if (to.ema) {
    FourFloats shadow = load_run(to.ema + first, run, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) shadow.at[i] = ema_step(shadow.at[i], p.at[i], complement);
    store_run(to.ema + first, shadow, run, whole);
  }
}

template <class Rule>
void flat_update(Stream& stream, const FlatUpdate& update, const Rule& rule) {
  FlatPointers to = {};
  to.parameters = update.parameters.as<float>();
  to.gradients = update.gradients.as<float>();
  to.ema = update.ema.as<float>();
  to.halted = update.halted.as<double>();
  if (Rule::kScalars > 0) to.scalars = update.scalars.as<double>();
  uintptr_t bits = reinterpret_cast<uintptr_t>(to.parameters) | reinterpret_cast<uintptr_t>(to.gradients) |
                   reinterpret_cast<uintptr_t>(to.ema);
  for (int k = 0; k < Rule::kStates; ++k) {
    to.states[k] = update.states[size_t(k)].as<float>();
    bits |= reinterpret_cast<uintptr_t>(to.states[k]);
  }
  to.aligned = bits % 16 == 0;
  const int64_t count = update.parameters.count();
  launch(flat_update_kernel<Rule>, blocks_for((count + 3) / 4, kFlatThreads), kFlatThreads, 0, stream, to, rule,
         1 - update.ema_decay, count);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
