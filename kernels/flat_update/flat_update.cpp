#include "kernels/flat_update/flat_update.hpp"

namespace ascore::kernels {

void check_flat_update(const OpScope& op, const FlatUpdate& update, int states, int wanted) {
  const View& p = update.parameters;
  const auto fits = [&](ConstView other) { return other.present() && other.count() == p.count(); };
  bool shapes = fits(update.gradients) && (!update.ema || fits(update.ema));
  bool dtypes = update.gradients.dtype() == p.dtype() && (!update.ema || update.ema.dtype() == p.dtype());
  for (int k = 0; k < states; ++k) {
    shapes = shapes && fits(update.states[size_t(k)]);
    dtypes = dtypes && update.states[size_t(k)].dtype() == p.dtype();
  }
  op.require(shapes, "parameters, gradients, state and average must have one count");
  op.require_dtype(dtypes, "parameters, gradients, state and average must have one dtype");
  op.require_dtype(p.dtype() == DType::f32 || p.dtype() == DType::f64, "parameters must be f32, or f64 on the cpu");
  const StepScalars& halted = update.halted;
  op.require(!halted || halted.count() == 1, "halted must be one element");
  op.require_dtype(!halted || halted.dtype() == DType::f64, "halted must be f64");
  if (wanted == 0) return;
  op.require(update.scalars.present() && update.scalars.count() == wanted, "wrong number of step scalars");
  op.require_dtype(update.scalars.dtype() == DType::f64, "step scalars must be f64");
}

}  // namespace ascore::kernels
