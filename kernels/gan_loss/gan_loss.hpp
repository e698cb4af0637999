#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore {

/// The adversarial losses. Standard, Wasserstein, hinge and least-squares ones, and their relativistic forms (rp:
/// paired, ra: against the other side's batch mean; Jolicoeur-Martineau 2019, arXiv:1807.00734). `lsgan_sat` differs
/// from `lsgan` in the generator's loss only.
enum class GanLoss : uint8_t { gan, wgan, hinge, rpgan, ragan, lsgan, lsgan_sat, rplsgan, ralsgan, rahinge };

/// Whose loss: the critic's (loss_D of the table in docs/mathematics) or the generator's (loss_G).
enum class GanPlayer : uint8_t { critic, generator };

namespace kernels {

/// loss = the adversarial loss of one player at the critic's outputs, a batch mean; see gan_terms.hpp for the formulas.
///
///   real, fake   N elements each, any shape; f32, or f64 (cpu); N at least 1
///   loss         one element of their dtype
/// Errors: ShapeError, DTypeError, before anything runs. Cost: N is a batch, so one block does it; no workspace.
void gan_loss(Stream& stream, GanLoss kind, GanPlayer player, ConstView real, ConstView fake, View loss);

/// Gradients of `loss` with respect to both outputs, times grad_loss. At a hinge's kink the gradient is 0.
///
///   real, fake, grad_real, grad_fake   N elements each, of one dtype; an absent gradient is not wanted
///   grad_loss                          one element of that dtype
/// Errors and cost as above.
void gan_loss_backward(Stream& stream, GanLoss kind, GanPlayer player, ConstView real, ConstView fake,
                       ConstView grad_loss, View grad_real, View grad_fake);

}  // namespace kernels
}  // namespace ascore
