#include "kernels/ema/ema.hpp"

#include "kernels/core/pick.hpp"
#include "kernels/ema/ema_rule.hpp"
#include "kernels/flat_update/flat_update_cpu.hpp"

namespace ascore::kernels {

using EmaBackend = void(Stream&, const FlatUpdate&, double);
namespace simt {
EmaBackend ema;
}
namespace cuda {
EmaBackend ema;
}

namespace cpu {
void ema(Stream& stream, const FlatUpdate& update, double decay) {
  if (update.parameters.dtype() == DType::f64) {
    flat_update<double>(stream, update, EmaRule<double>(decay));
  } else {
    flat_update<float>(stream, update, EmaRule<float>(decay));
  }
}
}  // namespace cpu

void ema(Stream& stream, View shadow, ConstView parameters, double decay) {
  const OpScope op(stream, "ema", {in_out(shadow), parameters});
  const FlatUpdate update{shadow, parameters, {}, {}, 0, {}};
  check_flat_update(op, update, 0, 0);
  pick<cpu::ema, simt::ema, cuda::ema>(stream)(stream, update, decay);
}

}  // namespace ascore::kernels
