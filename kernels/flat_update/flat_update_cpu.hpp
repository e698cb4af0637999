#pragma once

#include "kernels/core/parallel.hpp"
#include "kernels/flat_update/flat_update.hpp"

namespace ascore::kernels::cpu {

/// Applies `rule` to every element, in chunks that the stream's threads share. Elements are independent.
template <class T, class Rule>
void flat_update(Stream& stream, const FlatUpdate& update, const Rule& rule) {
  if (update.halted && *update.halted.as<double>() != 0) return;
  constexpr int kStates = Rule::kStates, kScalars = Rule::kScalars;
  T scalars[kScalars + 1] = {};
  for (int k = 0; k < kScalars; ++k) scalars[k] = static_cast<T>(update.scalars.as<double>()[k]);
  T* states[kStates + 1] = {};
  for (int k = 0; k < kStates; ++k) states[k] = update.states[size_t(k)].as<T>();
  T* const parameters = update.parameters.as<T>();
  const T* const gradients = update.gradients.as<T>();
  T* const ema = update.ema.as<T>();
  const T complement = static_cast<T>(1 - update.ema_decay);
  parallel_chunks(stream, update.parameters.count(), 1 << 14, [&](int64_t begin, int64_t end) {
    const auto step = [&](int64_t i) {
      T state[kStates + 1];
      for (int k = 0; k < kStates; ++k) state[k] = states[k][i];
      const T p = rule(parameters[i], gradients[i], state, scalars);
      parameters[i] = p;
      for (int k = 0; k < kStates; ++k) states[k][i] = state[k];
      return p;
    };
    if (ema) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) ema[i] = ema_step(ema[i], step(i), complement);
    } else {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) step(i);
    }
  });
}

}  // namespace ascore::kernels::cpu
