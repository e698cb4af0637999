#include "kernels/flat_update/flat_update_device.hpp"
#include "kernels/sgd/sgd_rule.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void sgd(Stream& stream, const FlatUpdate& update, const SgdOptions& options) {
  flat_update(stream, update, SgdRule<float>(options));
}

}  // namespace ascore::kernels::ASCORE_BACKEND
