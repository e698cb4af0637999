#include "engine/autograd/joined.hpp"

#include "engine/autograd/fused_conv2d.hpp"
#include "engine/autograd/remake.hpp"
#include "kernels/concat/concat.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/error.hpp"
#include "kernels/joined_group_norm/joined_group_norm.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {

Shape joined_shape(const char* operation, const Tensor& a, const Tensor& b) {
  if (a.rank() != 4 || b.rank() != 4) {
    throw ShapeError(
        fmt::format("{}: a {} and b {} must be [N,H,W,C]", operation, to_string(a.shape()), to_string(b.shape())));
  }
  return {a.dim(0), a.dim(1), a.dim(2), a.dim(3) + b.dim(3)};
}

/// The columns of a weight [O,A+B] that belong to a and to b, as 1x1 convolutions.
struct Columns {
  Tensor a, b;

  Columns() = default;
  Columns(const Ctx& ctx, const Tensor& weight, int64_t width_a)
      : a(ctx.empty({weight.dim(0), 1, 1, width_a}, weight.dtype(), MemoryKind::workspace)),
        b(ctx.empty({weight.dim(0), 1, 1, weight.dim(1) - width_a}, weight.dtype(), MemoryKind::workspace)) {}
};

/// A matrix [O,I] as the weights of a 1x1 convolution.
Tensor as_convolution(const Tensor& weight) {
  return weight.alias({weight.dim(0), 1, 1, weight.dim(1)});
}

Columns columns_of(const Ctx& ctx, const Tensor& weight, int64_t width_a) {
  Columns columns(ctx, weight, width_a);
  kernels::split_channels(ctx.stream, as_convolution(weight), columns.a.view(), columns.b.view());
  return columns;
}

/// The gradient of input i, an image that was multiplied by `columns`.
void image_gradient(Backward& b, size_t i, const Tensor& columns) {
  if (!b.wants(i)) return;
  const Tensor others = b.take_gradient(i);
  const View gradient = b.grad_in(i);
  const View scratch = b.workspace(kernels::conv2d_workspace_bytes(b.stream, gradient, columns, {}));
  kernels::conv2d_dgrad(b.stream, b.grad_out(), columns, {}, gradient, {.residual = others}, scratch);
}

/// Gradients of the columns that `image` was multiplied by, and of the bias.
void column_gradient(Backward& b, const Tensor& image, View columns, View bias) {
  const Shape weight{b.grad_out().dim(3), 1, 1, image.dim(3)};
  const View scratch = b.workspace(kernels::conv2d_wgrad_workspace_bytes(b.stream.device(), image.shape(), weight, {}));
  kernels::conv2d_wgrad(b.stream, image, b.grad_out(), {}, columns, bias, scratch);
}

/// f of the normalised channels, and what backward needs of the statistics.
struct Normalised {
  Tensor y, mean, rstd;
};
Normalised normalise(Ctx& ctx, const Tensor& a, const Tensor& b, const Tensor& gamma, const Tensor& beta,
                     int64_t groups, double eps, Activation activation) {
  const Shape shape = joined_shape("joined_group_norm", a, b), group{a.dim(0), groups};
  const DType dtype = a.dtype(), wide = accumulator(dtype);
  Normalised made{ctx.empty(shape, dtype), ctx.empty(group, wide), ctx.empty(group, wide)};
  const auto bytes = static_cast<int64_t>(kernels::joined_group_norm_workspace_bytes(shape, dtype));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  kernels::joined_group_norm(ctx.stream, a, b, gamma, beta, eps, activation, made.y, made.mean, made.rstd, workspace);
  return made;
}

}  // namespace

Tensor joined_group_norm(Ctx& ctx, const Tensor& a, const Tensor& b, const Tensor& gamma, const Tensor& beta,
                         int64_t groups, double eps, Activation activation) {
  const auto [y, mean, rstd] = normalise(ctx, a, b, gamma, beta, groups, eps, activation);
  if (ctx.tape) {
    remake_if_asked(ctx, y, [=](Ctx& c) { return normalise(c, a, b, gamma, beta, groups, eps, activation).y; });
    ctx.tape->record("joined_group_norm", {a, b, gamma, beta}, y,
                     [=, mean = mean, rstd = rstd, shape = y.shape()](Backward& backward) {
                       const View scratch = backward.workspace(
                           kernels::joined_group_norm_backward_workspace_bytes(shape, mean.dim(1), a.dtype()));
                       const Tensor others_a = backward.take_gradient(0), others_b = backward.take_gradient(1);
                       const View da = backward.grad_in(0), db = backward.grad_in(1);
                       const View dgamma = backward.grad_in(2), dbeta = backward.grad_in(3);
                       kernels::joined_group_norm_backward(backward.stream, a, b, gamma, beta, mean, rstd, activation,
                                                           backward.grad_out(), da, db, dgamma, dbeta, scratch,
                                                           {others_a, others_b});
                     });
  }
  return y;
}

Tensor joined_pixel_linear(Ctx& ctx, const Tensor& a, const Tensor& b, const Tensor& weight, const Tensor& bias) {
  const int64_t channels = joined_shape("joined_pixel_linear", a, b)[3];
  if (weight.rank() != 2 || weight.dim(1) != channels) {
    throw ShapeError(fmt::format("joined_pixel_linear: weight {} must be [O,{}]", to_string(weight.shape()), channels));
  }
  Ctx plain = ctx.detached();
  const Columns columns = columns_of(plain, weight, a.dim(3));
  const Tensor part = fused_conv2d(plain, a, columns.a, bias, {}, {}).value;
  const Tensor y = fused_conv2d(plain, b, columns.b, {}, {}, {.residual = part}).value;
  if (ctx.tape) {
    ctx.tape->record("joined_pixel_linear", {a, b, weight, bias}, y, [a, b, weight](Backward& backward) {
      if (backward.wants(0) || backward.wants(1)) {
        const Columns of = columns_of(backward.ctx, weight, a.dim(3));
        image_gradient(backward, 0, of.a);
        image_gradient(backward, 1, of.b);
      }
      const View dweight = backward.grad_in(2), dbias = backward.grad_in(3);
      if (!dweight && !dbias) return;
      Columns parts = dweight ? Columns(backward.ctx, weight, a.dim(3)) : Columns{};
      column_gradient(backward, a, parts.a, dbias);
      if (!dweight) return;
      column_gradient(backward, b, parts.b, {});
      kernels::concat_channels(backward.stream, parts.a, parts.b,
                               View(dweight.raw(), as_convolution(weight).shape(), dweight.dtype(), dweight.device()));
    });
  }
  return y;
}

}  // namespace ascore
