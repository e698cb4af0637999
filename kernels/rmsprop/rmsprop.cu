#include "kernels/flat_update/flat_update_device.hpp"
#include "kernels/rmsprop/rmsprop_rule.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void rmsprop(Stream& stream, const FlatUpdate& update, const RmspropOptions& options) {
  flat_update(stream, update, RmspropRule<float>(options));
}

}  // namespace ascore::kernels::ASCORE_BACKEND
