// Matrix products: UNet's per-pixel layers, the layers of the MLPs, the critic's last one; three passes each.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/linear/linear.hpp"

#include <fmt/format.h>

namespace ascore::bench {

namespace {

struct Layer {
  const char* network;
  int64_t size;     ///< side of the maps whose pixels are the rows, at 32x32; 0: two rows per sample of the batch
  int64_t in, out;  ///< at width 128
};

constexpr Layer kLayers[] = {
    {"unet", 32, 256, 128}, {"unet", 32, 384, 128}, {"unet", 16, 128, 256}, {"unet", 16, 256, 256},
    {"unet", 16, 384, 256}, {"unet", 16, 512, 256}, {"unet", 8, 512, 256},  {"unet", 4, 512, 256},
    {"mlp", 0, 3, 256},     {"mlp", 0, 256, 256},   {"mlp", 0, 256, 2},     {"critic", 0, 256, 1},
};

enum class Pass { forward, dgrad, wgrad };
struct Problem {
  Pass pass;
  int64_t rows, in, out;
  DType dtype;
};

struct Operands {
  Tensor x, weight, y;  // [rows,in], [out,in], [rows,out]
};

Product as_product(Pass pass, const Operands& o) {
  switch (pass) {
    case Pass::forward:
      return {.a = o.x, .b = o.weight, .c = o.y, .transpose_b = true};
    case Pass::dgrad:
      return {.a = o.y, .b = o.weight, .c = o.x};
    case Pass::wgrad:
      break;
  }
  return {.a = o.y, .b = o.x, .c = o.weight, .transpose_a = true};
}

/// Element i of the product, in f64.
Reference exact_product(Ctx& ctx, const Product& p) {
  const int64_t columns = p.c.dim(1), terms = p.a.dim(p.transpose_a ? 0 : 1);
  return [=, a = std::make_shared<HostCopy>(ctx, p.a), b = std::make_shared<HostCopy>(ctx, p.b)](int64_t i) {
    const int64_t row = i / columns, col = i % columns;
    double sum = 0;
    for (int64_t t = 0; t < terms; ++t) {
      const double left = p.transpose_a ? (*a)[t * p.a.dim(1) + row] : (*a)[row * terms + t];
      const double right = p.transpose_b ? (*b)[col * terms + t] : (*b)[t * columns + col];
      sum += left * right;
    }
    return sum;
  };
}

Subject prepare(Workbench& bench, const Problem& p) {
  Stream& stream = bench.stream();
  const auto operand = [&](const Shape& shape, DType dtype, bool result) {
    return result ? bench.zeros(shape, dtype) : bench.normal(shape, dtype);
  };
  const bool wgrad = p.pass == Pass::wgrad;
  const Operands o{.x = operand({p.rows, p.in}, p.dtype, p.pass == Pass::dgrad),
                   .weight = operand({p.out, p.in}, wgrad ? DType::f32 : p.dtype, wgrad),
                   .y = operand({p.rows, p.out}, p.dtype, p.pass == Pass::forward)};
  const Product product = as_product(p.pass, o);
  Subject subject{.run = {},
                  .result = product.c,
                  .error =
                      [&bench, product](const Tensor& result) {
                        return relative_error(bench.ctx(), result, exact_product(bench.ctx(), product));
                      },
                  .allowed = wgrad ? 1e-3 : rounding_error(p.dtype),
                  .yardstick = product_yardstick(bench, product)};
  switch (p.pass) {
    case Pass::forward:
      subject.run = [&stream, o] { kernels::linear(stream, o.x, o.weight, {}, o.y.view()); };
      break;
    case Pass::dgrad:
      subject.run = [&stream, o] { kernels::linear_dgrad(stream, o.y, o.weight, o.x.view()); };
      break;
    case Pass::wgrad: {
      const Tensor workspace =
          bench.workspace(kernels::linear_wgrad_workspace_bytes(stream.device(), {p.rows, p.in}, {p.out, p.in}));
      subject.run = [&stream, o, workspace] {
        View scratch;
        if (workspace) scratch = workspace.view();
        kernels::linear_wgrad(stream, o.x, o.y, o.weight.view(), {}, scratch);
      };
      break;
    }
  }
  return subject;
}

Case linear_case(const KernelOptions& options, const Layer& layer, Pass pass, const char* name) {
  const int64_t side = options.side(layer.size);
  // The networks' own first and last layers compute in f32.
  const bool inner = layer.in > 3 && layer.out > 3;
  const Problem p{.pass = pass,
                  .rows = layer.size > 0 ? options.batch * side * side : 2 * options.batch,
                  .in = options.channels(layer.in),
                  .out = options.channels(layer.out),
                  .dtype = inner ? options.dtype : DType::f32};
  const double weights = static_cast<double>(p.in * p.out), rows = static_cast<double>(p.rows);
  const DType weight_dtype = pass == Pass::wgrad ? DType::f32 : p.dtype;
  return {.name = fmt::format("{}/{}/{}x{}-{}/{}", name, layer.network, p.rows, p.in, p.out, ascore::name(p.dtype)),
          .flops = 2 * rows * weights,
          .bytes = rows * static_cast<double>(p.in + p.out) * static_cast<double>(size_of(p.dtype)) +
                   weights * static_cast<double>(size_of(weight_dtype)),
          .prepare = [p](Workbench& bench) { return prepare(bench, p); }};
}

}  // namespace

void add_linear_cases(const KernelOptions& options, Cases& cases) {
  for (const Layer& layer : kLayers) {
    cases.push_back(linear_case(options, layer, Pass::forward, "linear_forward"));
    cases.push_back(linear_case(options, layer, Pass::dgrad, "linear_dgrad"));
    cases.push_back(linear_case(options, layer, Pass::wgrad, "linear_wgrad"));
  }
}

}  // namespace ascore::bench
