#include "kernels/gan_loss/gan_loss.hpp"

#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/gan_loss/gan_terms.hpp"

namespace ascore::kernels {

using GanBackend = void(Stream&, const GanTerms&, ConstView real, ConstView fake, View loss);
using GanBackwardBackend = void(Stream&, const GanTerms&, ConstView real, ConstView fake, ConstView grad_loss,
                                View grad_real, View grad_fake);
namespace simt {
GanBackend gan_loss;
GanBackwardBackend gan_loss_backward;
}  // namespace simt
namespace cuda {
GanBackend gan_loss;
GanBackwardBackend gan_loss_backward;
}  // namespace cuda

namespace cpu {

/// A batch of critic outputs, read as double: sums of a batch cost nothing beside what made them.
template <class T>
struct GanBatch {
  const T *real, *fake;
  int64_t count;
  double real_mean = 0, fake_mean = 0;

  GanBatch(ConstView r, ConstView f) : real(r.as<T>()), fake(f.as<T>()), count(r.count()) {
    for (int64_t i = 0; i < count; ++i) {
      real_mean += static_cast<double>(real[i]) / static_cast<double>(count);
      fake_mean += static_cast<double>(fake[i]) / static_cast<double>(count);
    }
  }
  GanPair<double> pair(const GanTerms& terms, int64_t i) const {
    return {terms, static_cast<double>(real[i]), static_cast<double>(fake[i]), real_mean, fake_mean};
  }
};

template <class T>
void gan_loss_of(const GanTerms& terms, ConstView real, ConstView fake, View loss) {
  const GanBatch<T> batch(real, fake);
  double sum = 0;
  for (int64_t i = 0; i < batch.count; ++i) sum += batch.pair(terms, i).loss(terms);
  *loss.as<T>() = static_cast<T>(sum / static_cast<double>(batch.count));
}

void gan_loss(Stream&, const GanTerms& terms, ConstView real, ConstView fake, View loss) {
  real.dtype() == DType::f64 ? gan_loss_of<double>(terms, real, fake, loss)
                             : gan_loss_of<float>(terms, real, fake, loss);
}

template <class T>
void gan_loss_backward_of(const GanTerms& terms, ConstView real, ConstView fake, ConstView grad_loss, View grad_real,
                          View grad_fake) {
  const GanBatch<T> batch(real, fake);
  const double count = static_cast<double>(batch.count);
  double du_mean = 0, dv_mean = 0;
  for (int64_t i = 0; i < batch.count; ++i) {
    du_mean += batch.pair(terms, i).du(terms) / count;
    dv_mean += batch.pair(terms, i).dv(terms) / count;
  }
  const double factor = static_cast<double>(*grad_loss.as<T>()) / count;
  T* const to_real = grad_real.as<T>();
  T* const to_fake = grad_fake.as<T>();
  for (int64_t i = 0; i < batch.count; ++i) {
    const GanPair<double> pair = batch.pair(terms, i);
    const double du = pair.du(terms), dv = pair.dv(terms);
    if (to_real) to_real[i] = static_cast<T>(factor * (du - gan_rival_part(terms.rival, dv, dv_mean)));
    if (to_fake) to_fake[i] = static_cast<T>(factor * (dv - gan_rival_part(terms.rival, du, du_mean)));
  }
}

void gan_loss_backward(Stream&, const GanTerms& terms, ConstView real, ConstView fake, ConstView grad_loss,
                       View grad_real, View grad_fake) {
  real.dtype() == DType::f64 ? gan_loss_backward_of<double>(terms, real, fake, grad_loss, grad_real, grad_fake)
                             : gan_loss_backward_of<float>(terms, real, fake, grad_loss, grad_real, grad_fake);
}

}  // namespace cpu

namespace {

void check_outputs(const OpScope& op, ConstView real, ConstView fake, ConstView scalar) {
  op.require(real.count() >= 1 && real.count() == fake.count(), "real and fake must be batches of one size, not empty");
  op.require(scalar.count() == 1, "the loss (or its gradient) must be one element");
  op.require_dtype(real.dtype() == DType::f32 || real.dtype() == DType::f64, "real must be f32, or f64 on the cpu");
  op.require_dtype(fake.dtype() == real.dtype() && scalar.dtype() == real.dtype(), "arguments must have one dtype");
}

}  // namespace

void gan_loss(Stream& stream, GanLoss kind, GanPlayer player, ConstView real, ConstView fake, View loss) {
  const OpScope op(stream, "gan_loss", {real, fake, loss});
  check_outputs(op, real, fake, loss);
  pick<cpu::gan_loss, simt::gan_loss, cuda::gan_loss>(stream)(stream, gan_terms(kind, player), real, fake, loss);
}

void gan_loss_backward(Stream& stream, GanLoss kind, GanPlayer player, ConstView real, ConstView fake,
                       ConstView grad_loss, View grad_real, View grad_fake) {
  const OpScope op(stream, "gan_loss_backward", {real, fake, grad_loss, grad_real, grad_fake});
  check_outputs(op, real, fake, grad_loss);
  for (const View& grad : {grad_real, grad_fake}) {
    op.require(!grad || grad.count() == real.count(), "gradients must be of the size of the outputs");
    op.require_dtype(!grad || grad.dtype() == real.dtype(), "arguments must have one dtype");
  }
  pick<cpu::gan_loss_backward, simt::gan_loss_backward, cuda::gan_loss_backward>(stream)(
      stream, gan_terms(kind, player), real, fake, grad_loss, grad_real, grad_fake);
}

}  // namespace ascore::kernels
