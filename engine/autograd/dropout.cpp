#include "engine/autograd/dropout.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/channel_dropout/channel_dropout.hpp"
#include "kernels/core/error.hpp"

namespace ascore {

Tensor dropout_channels(Ctx& ctx, const Tensor& x, double p, uint32_t layer) {
  if (!ctx.training || p == 0) return x;
  // Streams of random numbers count from 1: without one, every step would drop the same channels.
  if (ctx.random.stream == 0) throw Error("dropout_channels: training without random numbers; set Ctx::random");
  Tensor y = ctx.empty_like(x);
  const NoiseKey key = ctx.random;
  kernels::channel_dropout(ctx.stream, x, key, layer, p, y);
  if (ctx.tape) {
    ctx.tape->record("dropout_channels", {x}, y, [key, layer, p](Backward& backward) {
      kernels::channel_dropout(backward.stream, backward.grad_out(), key, layer, p, backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
