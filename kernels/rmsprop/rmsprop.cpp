#include "kernels/rmsprop/rmsprop.hpp"

#include "kernels/core/pick.hpp"
#include "kernels/flat_update/flat_update_cpu.hpp"
#include "kernels/rmsprop/rmsprop_rule.hpp"

namespace ascore::kernels {

using RmspropBackend = void(Stream&, const FlatUpdate&, const RmspropOptions&);
namespace simt {
RmspropBackend rmsprop;
}
namespace cuda {
RmspropBackend rmsprop;
}

namespace cpu {
void rmsprop(Stream& stream, const FlatUpdate& update, const RmspropOptions& options) {
  if (update.parameters.dtype() == DType::f64) {
    flat_update<double>(stream, update, RmspropRule<double>(options));
  } else {
    flat_update<float>(stream, update, RmspropRule<float>(options));
  }
}
}  // namespace cpu

void rmsprop(Stream& stream, View parameters, ConstView gradients, View v, View ema, double ema_decay,
             StepScalars scalars, const RmspropOptions& options, StepScalars halted) {
  const OpScope op(stream, "rmsprop", {in_out(parameters), gradients, in_out(v), in_out(ema), scalars, halted});
  const FlatUpdate update{parameters, gradients, {v}, ema, ema_decay, scalars, halted};
  check_flat_update(op, update, 1, 1);
  pick<cpu::rmsprop, simt::rmsprop, cuda::rmsprop>(stream)(stream, update, options);
}

}  // namespace ascore::kernels
