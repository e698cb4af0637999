#include "kernels/conv2d/conv2d_cpu.hpp"
#include "kernels/gemm/onednn.hpp"

#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

/// Convolution by oneDNN. Images are NHWC, as ours; weights are described as `any` and repacked into the layout that
/// the kernel asks for: given [O,k,k,I] directly, the library falls back to its reference loops.
namespace ascore::kernels::cpu {

namespace {

using dnnl::memory;
using Tag = memory::format_tag;

/// One prepared convolution: what runs, and the layouts it wants.
struct Convolution {
  std::string implementation;  ///< empty: the library has no direct kernel
  dnnl::primitive primitive;
  memory::desc input, weights, output, scratch;
  dnnl::primitive unpack;  ///< wgrad: from `weights` to [O,k,k,I]
};

/// The convolutions that a stream has met.
struct Convolutions {
  using Key = std::tuple<Conv2dPass, Conv2dShape, DType, bool>;
  std::map<Key, Convolution> known;
};

memory::desc plain_weights(const Conv2dShape& s, DType dtype) {
  return {{s.out, s.in, s.kernel, s.kernel}, library_type(dtype), Tag::ohwi};
}

Convolution prepare(OneDnn& library, Conv2dPass pass, const Conv2dShape& s, DType compute, bool has_bias) {
  const auto type = library_type(compute), f32 = memory::data_type::f32;
  Convolution conv;
  conv.input = {{s.images, s.in, s.height, s.width}, type, Tag::nhwc};
  conv.output = {{s.images, s.out, s.height, s.width}, type, Tag::nhwc};
  const memory::dims pad(2, int64_t(s.dilation) * (s.kernel / 2)), dilation(2, s.dilation - 1), stride(2, 1);
  const memory::dims weight_sizes{s.out, s.in, s.kernel, s.kernel};
  const memory::desc weights(weight_sizes, type, Tag::any), gradient(weight_sizes, f32, Tag::any);
  const memory::desc bias = has_bias ? memory::desc({s.out}, f32, Tag::a) : memory::desc();
  const auto direct = dnnl::algorithm::convolution_direct;
  const auto attributes = user_scratchpad();
  is_implemented([&] {
    // Backward passes take a forward description as a hint; it needs no bias.
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direct, conv.input, weights, bias, conv.output, stride, dilation, pad, pad},
        attributes, library.engine);
    const auto fill = [&]<class Primitive>(const auto& description, const memory::desc& packed) {
      conv.weights = packed;
      conv.scratch = description.scratchpad_desc();
      conv.primitive = Primitive(description);
      if (is_direct(description.impl_info_str())) conv.implementation = description.impl_info_str();
    };
    if (pass == Conv2dPass::forward) {
      fill.template operator()<dnnl::convolution_forward>(forward, forward.weights_desc());
    } else if (pass == Conv2dPass::dgrad) {
      const dnnl::convolution_backward_data::primitive_desc description(
          {direct, conv.input, weights, conv.output, stride, dilation, pad, pad}, attributes, library.engine, forward);
      fill.template operator()<dnnl::convolution_backward_data>(description, description.weights_desc());
    } else {
      const dnnl::convolution_backward_weights::primitive_desc description(
          {direct, conv.input, gradient, conv.output, stride, dilation, pad, pad}, attributes, library.engine, forward);
      fill.template operator()<dnnl::convolution_backward_weights>(description, description.diff_weights_desc());
      conv.unpack = dnnl::reorder(
          dnnl::reorder::primitive_desc(library.engine, conv.weights, library.engine, plain_weights(s, DType::f32)));
    }
  });
  return conv;
}

const Convolution& convolution(Stream& stream, OneDnn& library, Conv2dPass pass, const Conv2dShape& s, DType compute,
                               bool has_bias) {
  auto& known = stream.attached<Convolutions>().known;
  const Convolutions::Key key{pass, s, compute, has_bias};
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  return known.emplace(key, prepare(library, pass, s, compute, has_bias)).first->second;
}

/// Weights in layouts of the library's choice, kept while their content stamp stays. Found by address: a network has a
/// fixed set of parameters, each in one or two layouts (forward, dgrad).
struct PackedWeights {
  struct Entry {
    uint64_t stamp;
    memory packed;
    dnnl::reorder reorder;
  };
  std::unordered_map<const void*, std::vector<Entry>> kept;
};

/// `weight` in the layout `wanted`.
memory packed_weights(Stream& stream, OneDnn& library, const Conv2dShape& s, ConstView weight, DType activations,
                      const memory::desc& wanted) {
  auto& entries = stream.attached<PackedWeights>().kept;
  PackedWeights::Entry* entry = nullptr;
  if (weight.content_stamp()) {
    for (auto& known : entries[weight.raw()]) {
      if (known.packed.get_desc() == wanted) entry = &known;
    }
    if (entry && entry->stamp == weight.content_stamp()) return entry->packed;
  }
  // What the reorder reads: f32 weights beside bf16 data computed in f32 are first rounded to bf16.
  const bool computed_wide = activations == DType::bf16 && wanted.data_type() == memory::data_type::f32;
  const DType from_type = computed_wide ? DType::f32 : weight.dtype();
  const void* const from = computed_wide ? weights_for<bf16>(stream, weight, HostScratch::weights) : weight.raw();
  const memory::desc from_desc = plain_weights(s, from_type);
  memory source(from_desc, library.engine, const_cast<void*>(from));
  const auto reorder = [&] {
    return dnnl::reorder(dnnl::reorder::primitive_desc(library.engine, from_desc, library.engine, wanted));
  };
  if (!weight.content_stamp()) {
    memory target(wanted, library.engine,
                  stream.attached<HostScratch>().take<std::byte>(HostScratch::packed, wanted.get_size()));
    reorder().execute(library.queue, source, target);
    return target;
  }
  if (!entry) {
    auto& list = entries[weight.raw()];
    list.push_back({0, memory(wanted, library.engine), reorder()});
    entry = &list.back();
  }
  entry->reorder.execute(library.queue, source, entry->packed);
  entry->stamp = weight.content_stamp();
  return entry->packed;
}

}  // namespace

bool library_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, View y) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    const Convolution& conv = convolution(stream, library, Conv2dPass::forward, s, compute, bias.present());
    if (conv.implementation.empty()) return false;
    void* const out = write_as(stream, y, compute);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, {conv.input, library.engine, read_as(stream, x, compute, HostScratch::source)}},
        {DNNL_ARG_WEIGHTS, packed_weights(stream, library, s, weight, x.dtype(), conv.weights)},
        {DNNL_ARG_DST, {conv.output, library.engine, out}},
        {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}};
    if (bias) {
      const memory::desc desc({s.out}, memory::data_type::f32, Tag::a);
      arguments.emplace(DNNL_ARG_BIAS, memory(desc, library.engine, const_cast<void*>(bias.raw())));
    }
    conv.primitive.execute(library.queue, arguments);
    finish_writing(stream, out, y);
    return true;
  });
}

bool library_conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, View dx) {
  if (dy.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(dy.dtype());
    const Convolution& conv = convolution(stream, library, Conv2dPass::dgrad, s, compute, false);
    if (conv.implementation.empty()) return false;
    void* const out = write_as(stream, dx, compute);
    conv.primitive.execute(
        library.queue,
        {{DNNL_ARG_DIFF_DST, {conv.output, library.engine, read_as(stream, dy, compute, HostScratch::source)}},
         {DNNL_ARG_WEIGHTS, packed_weights(stream, library, s, weight, dy.dtype(), conv.weights)},
         {DNNL_ARG_DIFF_SRC, {conv.input, library.engine, out}},
         {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}});
    finish_writing(stream, out, dx);
    return true;
  });
}

bool library_conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    const Convolution& conv = convolution(stream, library, Conv2dPass::wgrad, s, compute, false);
    if (conv.implementation.empty()) return false;
    const memory packed(conv.weights, library.engine,
                        stream.attached<HostScratch>().take<std::byte>(HostScratch::packed, conv.weights.get_size()));
    conv.primitive.execute(
        library.queue,
        {{DNNL_ARG_SRC, {conv.input, library.engine, read_as(stream, x, compute, HostScratch::source)}},
         {DNNL_ARG_DIFF_DST, {conv.output, library.engine, read_as(stream, dy, compute, HostScratch::destination)}},
         {DNNL_ARG_DIFF_WEIGHTS, packed},
         {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}});
    conv.unpack.execute(library.queue, {{DNNL_ARG_FROM, packed},
                                        {DNNL_ARG_TO, {plain_weights(s, DType::f32), library.engine, dweight.raw()}}});
    return true;
  });
}

std::string library_conv2d_name(Stream& stream, Conv2dPass pass, const Conv2dShape& s, DType dtype) {
  if (dtype == DType::f64 || s.images == 0) return {};
  return with_library(stream, [&](OneDnn& library) {
    return convolution(stream, library, pass, s, library.compute(dtype), false).implementation;
  });
}

}  // namespace ascore::kernels::cpu
