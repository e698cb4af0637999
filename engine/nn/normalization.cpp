#include "engine/nn/normalization.hpp"

#include "engine/autograd/context.hpp"

namespace ascore {

bool Normalization::measures(const Ctx& ctx) const {
  return ctx.stream.device() != Device::cpu;
}

}  // namespace ascore
