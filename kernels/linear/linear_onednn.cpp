#include "kernels/gemm/onednn.hpp"
#include "kernels/linear/linear_cpu.hpp"

#include <map>
#include <tuple>
#include <unordered_map>

/// Linear layers by dnnl::matmul. Not by its inner_product, whose results vary with the batch.
namespace ascore::kernels::cpu {

namespace {

using dnnl::memory;

/// C [rows, columns] = A [rows, depth] B [depth, columns] (+ bias [columns]); A and B row-major, or stored transposed.
struct Product {
  int64_t rows, depth, columns;
  bool a_transposed, b_transposed, has_bias;
  DType operands, result;
  auto operator<=>(const Product&) const = default;

  memory::desc a() const { return matrix(rows, depth, a_transposed, operands); }
  memory::desc b() const { return matrix(depth, columns, b_transposed, operands); }
  memory::desc c() const { return matrix(rows, columns, false, result); }
  memory::desc bias() const {
    return has_bias ? memory::desc({1, columns}, memory::data_type::f32, memory::format_tag::ab) : memory::desc();
  }

 private:
  static memory::desc matrix(int64_t rows, int64_t columns, bool transposed, DType dtype) {
    using Tag = memory::format_tag;
    return {{rows, columns}, library_type(dtype), transposed ? Tag::ba : Tag::ab};
  }
};

struct Prepared {
  bool usable = false;
  dnnl::matmul primitive;
  memory::desc scratch;
};
struct Products {
  std::map<Product, Prepared> known;
};

const Prepared& prepared(Stream& stream, OneDnn& library, const Product& product) {
  auto& known = stream.attached<Products>().known;
  if (const auto found = known.find(product); found != known.end()) return found->second;
  Prepared result;
  is_implemented([&] {
    const dnnl::matmul::desc what = product.has_bias
                                        ? dnnl::matmul::desc(product.a(), product.b(), product.bias(), product.c())
                                        : dnnl::matmul::desc(product.a(), product.b(), product.c());
    const dnnl::matmul::primitive_desc description(what, user_scratchpad(), library.engine);
    if (!is_direct(description.impl_info_str())) return;
    result.usable = true;
    result.scratch = description.scratchpad_desc();
    if (!is_dry(stream)) result.primitive = dnnl::matmul(description);
  });
  return known.emplace(product, std::move(result)).first->second;
}

void multiply(Stream& stream, OneDnn& library, const Product& product, void* a, void* b, ConstView bias, void* c) {
  const Prepared& how = prepared(stream, library, product);
  std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, operand(stream, library, product.a(), a)},
                                            {DNNL_ARG_WEIGHTS, operand(stream, library, product.b(), b)},
                                            {DNNL_ARG_DST, operand(stream, library, product.c(), c)},
                                            {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, how.scratch)}};
  if (bias) arguments.emplace(DNNL_ARG_BIAS, operand(stream, library, product.bias(), bias.raw()));
  if (!is_dry(stream)) how.primitive.execute(library.queue, arguments);
}

/// The weights in the type that activations of `activations` are computed in.
void* weights_as(Stream& stream, ConstView weight, DType activations, DType compute) {
  if (activations == DType::f32 || (compute == DType::bf16 && weight.dtype() == DType::bf16)) {
    return const_cast<void*>(weight.raw());
  }
  if (compute == DType::f32) return const_cast<float*>(weights_for<bf16>(stream, weight, HostScratch::weights));
  bf16* const narrowed = take_scratch<bf16>(stream, HostScratch::weights, static_cast<size_t>(weight.count()));
  narrow_values(stream, weight.as<float>(), weight.count(), narrowed);
  return narrowed;
}

}  // namespace

bool library_linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, View y) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    const Product product{x.dim(0), x.dim(1), weight.dim(0), false, true, bias.present(), compute, compute};
    if (!prepared(stream, library, product).usable) return false;
    void* const out = write_as(stream, y, compute);
    multiply(stream, library, product, read_as(stream, x, compute, HostScratch::source),
             weights_as(stream, weight, x.dtype(), compute), bias, out);
    finish_writing(stream, out, y);
    return true;
  });
}

bool library_linear_dgrad(Stream& stream, ConstView dy, ConstView weight, View dx) {
  if (dy.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(dy.dtype());
    const Product product{dy.dim(0), weight.dim(0), weight.dim(1), false, false, false, compute, compute};
    if (!prepared(stream, library, product).usable) return false;
    void* const out = write_as(stream, dx, compute);
    multiply(stream, library, product, read_as(stream, dy, compute, HostScratch::source),
             weights_as(stream, weight, dy.dtype(), compute), {}, out);
    finish_writing(stream, out, dx);
    return true;
  });
}

bool library_linear_wgrad(Stream& stream, ConstView x, ConstView dy, View dweight) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    const Product product{dy.dim(1), x.dim(0), x.dim(1), true, false, false, compute, DType::f32};
    if (!prepared(stream, library, product).usable) return false;
    multiply(stream, library, product, read_as(stream, dy, compute, HostScratch::source),
             read_as(stream, x, compute, HostScratch::destination), {}, dweight.raw());
    return true;
  });
}

}  // namespace ascore::kernels::cpu
