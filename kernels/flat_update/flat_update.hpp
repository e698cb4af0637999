#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/step_scalars.hpp"
#include "kernels/core/view.hpp"

#include <array>
#include <initializer_list>

/// What adam, rmsprop, sgd and ema have in common: one pass over flat buffers in which element i of the parameters
/// moves by a rule of its gradient and its own state. A rule is a small value type, shared by all backends:
///
///   static constexpr int kStates, kScalars;                   // state buffers; StepScalars read
///   T operator()(T p, T g, T* state, const T* scalars) const; // new p; writes state[0 .. kStates)
///
/// where `state` and `scalars` point to copies in the calling thread.
namespace ascore::kernels {

/// The arguments that every update has. `states` holds as many present views as the rule has states.
struct FlatUpdate {
  static constexpr int kMaxStates = 3;
  View parameters;
  ConstView gradients;
  std::array<View, kMaxStates> states;
  View ema;  ///< absent: no average is kept
  double ema_decay = 0;
  StepScalars scalars;
  StepScalars halted = {};  ///< f64 [1]: unless it is 0 when the update's turn comes, nothing changes; absent: as 0
};

/// Throws ShapeError or DTypeError unless all buffers of `update` fit each other and `scalars` holds `wanted` values.
void check_flat_update(const OpScope& op, const FlatUpdate& update, int states, int wanted);

/// The exponential moving average's own step, mu s + (1 - mu) p in the form that leaves s where it is if p = s.
/// `complement` is 1 - mu, rounded from f64: in f32, 1 - 0.9999f is wrong by 1e-4 of itself.
template <class T>
ASCORE_HOST_DEVICE inline T ema_step(T shadow, T p, T complement) {
  return shadow + complement * (p - shadow);
}

}  // namespace ascore::kernels
