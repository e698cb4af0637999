#include "samplers/inpainting.hpp"

#include "kernels/replace_known/replace_known.hpp"

#include <utility>

namespace ascore {

StateEdit keep_known(Tensor reference, Tensor mask, const NoiseKey& key) {
  return [reference = std::move(reference), mask = std::move(mask), key](Ctx& ctx, const Tensor& x, double sigma,
                                                                         uint32_t evaluation) {
    kernels::replace_known(ctx.stream, x.view(), reference, mask, ctx.scalars({sigma}),
                           key.at_step(key.step + evaluation));
  };
}

}  // namespace ascore
