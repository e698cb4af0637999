#include "kernels/adam/adam_rule.hpp"
#include "kernels/flat_update/flat_update_device.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void adam(Stream& stream, const FlatUpdate& update, const AdamOptions& options) {
  if (update.states[2]) {
    flat_update(stream, update, AdamRule<float, true>(options));
  } else {
    flat_update(stream, update, AdamRule<float, false>(options));
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
