#include "kernels/ema/ema_rule.hpp"
#include "kernels/flat_update/flat_update_device.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void ema(Stream& stream, const FlatUpdate& update, double decay) {
  flat_update(stream, update, EmaRule<float>(decay));
}

}  // namespace ascore::kernels::ASCORE_BACKEND
