#include "kernels/adam/adam.hpp"

#include "kernels/adam/adam_rule.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/flat_update/flat_update_cpu.hpp"

namespace ascore::kernels {

using AdamBackend = void(Stream&, const FlatUpdate&, const AdamOptions&);
namespace simt {
AdamBackend adam;
}
namespace cuda {
AdamBackend adam;
}

namespace cpu {
void adam(Stream& stream, const FlatUpdate& update, const AdamOptions& options) {
  const auto run = [&]<class T>() {
    if (update.states[2]) {
      flat_update<T>(stream, update, AdamRule<T, true>(options));
    } else {
      flat_update<T>(stream, update, AdamRule<T, false>(options));
    }
  };
  update.parameters.dtype() == DType::f64 ? run.template operator()<double>() : run.template operator()<float>();
}
}  // namespace cpu

void adam(Stream& stream, View parameters, ConstView gradients, View m, View v, View v_max, View ema, double ema_decay,
          StepScalars scalars, const AdamOptions& options, StepScalars halted) {
  const OpScope op(stream, "adam",
                   {in_out(parameters), gradients, in_out(m), in_out(v), in_out(v_max), in_out(ema), scalars, halted});
  const FlatUpdate update{parameters, gradients, {m, v, v_max}, ema, ema_decay, scalars, halted};
  check_flat_update(op, update, v_max ? 3 : 2, 2);
  pick<cpu::adam, simt::adam, cuda::adam>(stream)(stream, update, options);
}

}  // namespace ascore::kernels
