#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/gan_loss/gan_loss.hpp"

#include <cmath>

/// All ten losses of both players have one form. With yr, yf the critic's outputs and m() the batch mean,
///
///   loss = m( wr phi(sr u) + wf phi(sf v) ),   u = yr - (0, yf or m(yf)),   v = yf - (0, yr or m(yr))
///
/// where phi(t), a cost that falls as t grows, is -t, softplus(-t), max(1-t, 0) or (1-t)^2; signs s are +-1, and
/// weights w are 0, 1 or 2. A loss is a row of these choices.
namespace ascore::kernels {

enum class GanCost : uint8_t { linear, logistic, hinge, square };
enum class GanRival : uint8_t { none, paired, mean };  ///< what an output is compared with

struct GanTerms {
  GanCost cost;
  GanRival rival;
  int real_weight, real_sign;
  int fake_weight, fake_sign;
};

constexpr GanTerms gan_terms(GanLoss kind, GanPlayer player) {
  GanCost cost = GanCost::linear;
  GanRival rival = GanRival::none;
  switch (kind) {
    case GanLoss::ragan:
      rival = GanRival::mean;
      cost = GanCost::logistic;
      break;
    case GanLoss::rpgan:
      rival = GanRival::paired;
      cost = GanCost::logistic;
      break;
    case GanLoss::gan:
      cost = GanCost::logistic;
      break;
    case GanLoss::wgan:
      break;
    case GanLoss::rahinge:
      rival = GanRival::mean;
      cost = GanCost::hinge;
      break;
    case GanLoss::hinge:
      // The generator of the hinge game lowers the critic's output without bound.
      cost = player == GanPlayer::critic ? GanCost::hinge : GanCost::linear;
      break;
    case GanLoss::ralsgan:
      rival = GanRival::mean;
      cost = GanCost::square;
      break;
    case GanLoss::rplsgan:
      rival = GanRival::paired;
      cost = GanCost::square;
      break;
    case GanLoss::lsgan:
    case GanLoss::lsgan_sat:
      cost = GanCost::square;
      break;
  }
  if (player == GanPlayer::critic) {
    return rival == GanRival::paired ? GanTerms{cost, rival, 2, 1, 0, 1} : GanTerms{cost, rival, 1, 1, 1, -1};
  }
  if (rival == GanRival::paired) return {cost, rival, 0, 1, 2, 1};
  if (rival == GanRival::mean) return {cost, rival, 1, -1, 1, 1};
  return {cost, rival, 0, 1, 1, kind == GanLoss::lsgan_sat ? -1 : 1};
}

/// phi(t), without overflow at any t.
template <class T>
ASCORE_HOST_DEVICE inline T gan_cost(GanCost cost, T t) {
  switch (cost) {
    case GanCost::linear:
      return -t;
    case GanCost::logistic:
      return (t < 0 ? -t : T(0)) + std::log1p(std::exp(t < 0 ? t : -t));
    case GanCost::hinge:
      return t < 1 ? 1 - t : T(0);
    case GanCost::square:
      return (1 - t) * (1 - t);
  }
  return 0;
}

/// phi'(t).
template <class T>
ASCORE_HOST_DEVICE inline T gan_slope(GanCost cost, T t) {
  switch (cost) {
    case GanCost::linear:
      return -1;
    case GanCost::logistic:
      return -1 / (1 + std::exp(t));
    case GanCost::hinge:
      return t < 1 ? T(-1) : T(0);
    case GanCost::square:
      return -2 * (1 - t);
  }
  return 0;
}

/// One pair of outputs under a loss: values of u and v, their share of the loss, and the derivatives of that share.
template <class T>
struct GanPair {
  T u, v;

  ASCORE_HOST_DEVICE GanPair(const GanTerms& terms, T real, T fake, T real_mean, T fake_mean) : u(real), v(fake) {
    if (terms.rival == GanRival::none) return;
    u -= terms.rival == GanRival::mean ? fake_mean : fake;
    v -= terms.rival == GanRival::mean ? real_mean : real;
  }
  ASCORE_HOST_DEVICE T loss(const GanTerms& terms) const {
    T sum = 0;
    if (terms.real_weight) sum += terms.real_weight * gan_cost(terms.cost, terms.real_sign * u);
    if (terms.fake_weight) sum += terms.fake_weight * gan_cost(terms.cost, terms.fake_sign * v);
    return sum;
  }
  ASCORE_HOST_DEVICE T du(const GanTerms& terms) const {
    if (terms.real_weight == 0) return 0;
    return terms.real_weight * terms.real_sign * gan_slope(terms.cost, terms.real_sign * u);
  }
  ASCORE_HOST_DEVICE T dv(const GanTerms& terms) const {
    if (terms.fake_weight == 0) return 0;
    return terms.fake_weight * terms.fake_sign * gan_slope(terms.cost, terms.fake_sign * v);
  }
};

/// What the chain rule through u and v subtracts from du in grad_real, and from dv in grad_fake: nothing, the pair's
/// other derivative, or the batch mean of the others.
template <class T>
ASCORE_HOST_DEVICE inline T gan_rival_part(GanRival rival, T own_pair, T batch_mean) {
  return rival == GanRival::none ? T(0) : rival == GanRival::paired ? own_pair : batch_mean;
}

}  // namespace ascore::kernels
