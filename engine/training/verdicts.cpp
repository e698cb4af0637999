#include "engine/training/verdicts.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/fill/fill.hpp"
#include "kernels/gan_loss/gan_terms.hpp"

namespace ascore {

bool couples_samples(GanLoss loss) {
  return kernels::gan_terms(loss, GanPlayer::critic).rival == kernels::GanRival::mean;
}

VerdictGradients verdict_gradients(Ctx& ctx, GanLoss kind, GanPlayer player, const Tensor& real, const Tensor& fake,
                                   double weight) {
  Tape tape;
  Ctx watching = ctx;
  watching.tape = &tape;
  tape.watch(real);
  tape.watch(fake);
  const Tensor loss = player == GanPlayer::critic ? critic_loss(watching, kind, real, fake)
                                                  : generator_loss(watching, kind, real, fake);
  Tensor seed = ctx.empty(loss.shape(), loss.dtype(), MemoryKind::gradients);
  kernels::fill(ctx.stream, seed, weight);
  tape.backward(watching, loss, seed);
  return {loss, tape.gradient(real), tape.gradient(fake)};
}

}  // namespace ascore
