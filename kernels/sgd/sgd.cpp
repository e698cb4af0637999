#include "kernels/sgd/sgd.hpp"

#include "kernels/core/pick.hpp"
#include "kernels/flat_update/flat_update_cpu.hpp"
#include "kernels/sgd/sgd_rule.hpp"

namespace ascore::kernels {

using SgdBackend = void(Stream&, const FlatUpdate&, const SgdOptions&);
namespace simt {
SgdBackend sgd;
}
namespace cuda {
SgdBackend sgd;
}

namespace cpu {
void sgd(Stream& stream, const FlatUpdate& update, const SgdOptions& options) {
  if (update.parameters.dtype() == DType::f64) {
    flat_update<double>(stream, update, SgdRule<double>(options));
  } else {
    flat_update<float>(stream, update, SgdRule<float>(options));
  }
}
}  // namespace cpu

void sgd(Stream& stream, View parameters, ConstView gradients, View b, View ema, double ema_decay, StepScalars scalars,
         const SgdOptions& options, StepScalars halted) {
  const OpScope op(stream, "sgd", {in_out(parameters), gradients, in_out(b), in_out(ema), scalars, halted});
  const FlatUpdate update{parameters, gradients, {b}, ema, ema_decay, scalars, halted};
  check_flat_update(op, update, 1, 1);
  pick<cpu::sgd, simt::sgd, cuda::sgd>(stream)(stream, update, options);
}

}  // namespace ascore::kernels
