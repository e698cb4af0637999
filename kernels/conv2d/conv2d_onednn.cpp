#include "kernels/conv2d/conv2d_cpu.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/parallel.hpp"
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

enum class Pass { forward, wgrad };

/// The convolutions that a stream has met.
struct Convolutions {
  using Key = std::tuple<Pass, Conv2dShape, DType, DType, bool>;
  std::map<Key, Convolution> known;
};

memory::desc plain_weights(const Conv2dShape& s, DType dtype) {
  return {{s.out, s.in, s.kernel, s.kernel}, library_type(dtype), Tag::ohwi};
}

/// `runs`: the primitives are made too, which compiles their code; else memory and layouts are told alone.
Convolution prepare(OneDnn& library, Pass pass, const Conv2dShape& s, DType compute, DType result, bool has_bias,
                    bool runs) {
  const auto type = library_type(compute), f32 = memory::data_type::f32;
  Convolution conv;
  conv.input = {{s.images, s.in, s.height, s.width}, type, Tag::nhwc};
  conv.output = {{s.images, s.out, s.out_height(), s.out_width()}, library_type(result), Tag::nhwc};
  const memory::dims before(2, s.padding()), after(2, s.padding_after()), dilation(2, s.dilation - 1),
      stride(2, s.stride);
  const memory::dims weight_sizes{s.out, s.in, s.kernel, s.kernel};
  const memory::desc weights(weight_sizes, type, Tag::any), gradient(weight_sizes, f32, Tag::any);
  const memory::desc bias = has_bias ? memory::desc({s.out}, f32, Tag::a) : memory::desc();
  const auto direct = dnnl::algorithm::convolution_direct;
  const auto attributes = user_scratchpad();
  is_implemented([&] {
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direct, conv.input, weights, bias, conv.output, stride, dilation, before,
         after},
        attributes, library.engine);
    std::string implementation;
    if (pass == Pass::forward) {
      conv.weights = forward.weights_desc();
      conv.scratch = forward.scratchpad_desc();
      if (runs) conv.primitive = dnnl::convolution_forward(forward);
      implementation = forward.impl_info_str();
    } else {
      const dnnl::convolution_backward_weights::primitive_desc backward(
          {direct, conv.input, gradient, conv.output, stride, dilation, before, after}, attributes, library.engine,
          forward);
      conv.weights = backward.diff_weights_desc();
      conv.scratch = backward.scratchpad_desc();
      implementation = backward.impl_info_str();
      if (runs) {
        conv.primitive = dnnl::convolution_backward_weights(backward);
        conv.unpack = dnnl::reorder(
            dnnl::reorder::primitive_desc(library.engine, conv.weights, library.engine, plain_weights(s, DType::f32)));
      }
    }
    if (is_direct(implementation)) conv.implementation = implementation;
  });
  return conv;
}

/// `compute`: type of images and weights; `result`: of the outputs (wgrad: of dy, which is `compute`).
const Convolution& convolution(Stream& stream, OneDnn& library, Pass pass, const Conv2dShape& s, DType compute,
                               DType result, bool has_bias) {
  auto& known = stream.attached<Convolutions>().known;
  const Convolutions::Key key{pass, s, compute, result, has_bias};
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  return known.emplace(key, prepare(library, pass, s, compute, result, has_bias, !is_dry(stream))).first->second;
}

/// Weights in layouts of the library's choice, kept while their content stamp stays. Found by address: a network has a
/// fixed set of parameters, each as it is for the forward pass and turned for the backward one.
struct PackedWeights {
  struct Entry {
    Weights use;
    DType activations;  ///< beside bf16 the weights were rounded
    uint64_t stamp;
    memory packed;
  };
  std::unordered_map<const void*, std::vector<Entry>> kept;
};

/// What packing reads: the layer's weights as `s` applies them, [out][k][k][in].
memory plain_source(Stream& stream, OneDnn& library, const Conv2dShape& s, ConstView weight, Weights use,
                    DType activations, memory::data_type wanted) {
  // Beside bf16 data computed in f32, f32 weights are rounded to bf16 first; beside real bf16 the packing rounds.
  const bool rounded = activations == DType::bf16 && (wanted == memory::data_type::f32 || use == Weights::turned);
  if (!rounded && use == Weights::as_they_are) {
    return operand(stream, library, plain_weights(s, weight.dtype()), weight.raw());
  }
  const float* values = rounded ? weights_for<bf16>(stream, weight, HostScratch::weights) : weight.as<float>();
  if (use == Weights::turned) {
    float* const turned = take_scratch<float>(stream, HostScratch::rows, static_cast<size_t>(weight.count()));
    turn_weights(stream, s, values, turned);
    values = turned;
  }
  return operand(stream, library, plain_weights(s, DType::f32), values);
}

/// `weight` as `s` applies it, in the layout `wanted`.
memory packed_weights(Stream& stream, OneDnn& library, const Conv2dShape& s, ConstView weight, Weights use,
                      DType activations, const memory::desc& wanted) {
  const auto pack = [&](memory target) {
    memory source = plain_source(stream, library, s, weight, use, activations, wanted.data_type());
    if (is_dry(stream)) return target;
    dnnl::reorder(source, target).execute(library.queue, source, target);
    return target;
  };
  if (!weight.content_stamp()) {
    return pack(
        operand(stream, library, wanted, take_scratch<std::byte>(stream, HostScratch::packed, wanted.get_size())));
  }
  auto& entries = stream.attached<PackedWeights>().kept[weight.raw()];
  size_t at = 0;
  const auto fits = [&](const PackedWeights::Entry& entry) {
    return entry.use == use && entry.activations == activations && entry.packed.get_desc() == wanted;
  };
  while (at < entries.size() && !fits(entries[at])) ++at;
  if (at == entries.size()) {
    const memory place =
        is_dry(stream) ? memory(wanted, library.engine, DNNL_MEMORY_NONE) : memory(wanted, library.engine);
    entries.push_back({use, activations, 0, place});
    stream.attached<LibraryMemory>().add(wanted.get_size());
  }
  PackedWeights::Entry& entry = entries[at];
  if (entry.stamp != weight.content_stamp()) {
    pack(entry.packed);
    entry.stamp = weight.content_stamp();
  }
  return entry.packed;
}

/// Makes y of its sums, in pieces that stay in the first-level cache.
void finish_images(Stream& stream, const Finish& epilogue, float* sums, View y) {
  for_float_type(y.dtype(), [&]<class T>() {
    parallel_chunks(stream, y.count(), 1 << 12,
                    [&](int64_t begin, int64_t end) { finish(epilogue, sums + begin, begin, end - begin, y.as<T>()); });
  });
}

}  // namespace

bool library_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, Weights use, ConstView bias,
                    const Finish& epilogue, View y) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    // An epilogue works on sums that are not rounded yet.
    const DType result = epilogue.none() ? compute : DType::f32;
    const Convolution& conv = convolution(stream, library, Pass::forward, s, compute, result, bias.present());
    if (conv.implementation.empty()) return false;
    void* const out = write_as(stream, y, result);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, operand(stream, library, conv.input, read_as(stream, x, compute, HostScratch::source))},
        {DNNL_ARG_WEIGHTS, packed_weights(stream, library, s, weight, use, x.dtype(), conv.weights)},
        {DNNL_ARG_DST, operand(stream, library, conv.output, out)},
        {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}};
    if (bias) {
      const memory::desc desc({s.out}, memory::data_type::f32, Tag::a);
      arguments.emplace(DNNL_ARG_BIAS, operand(stream, library, desc, bias.raw()));
    }
    if (is_dry(stream)) return true;
    conv.primitive.execute(library.queue, arguments);
    if (epilogue.none()) {
      finish_writing(stream, out, y);
    } else {
      finish_images(stream, epilogue, static_cast<float*>(out), y);
    }
    return true;
  });
}

bool library_conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    const Convolution& conv = convolution(stream, library, Pass::wgrad, s, compute, compute, false);
    if (conv.implementation.empty()) return false;
    const memory packed = operand(stream, library, conv.weights,
                                  take_scratch<std::byte>(stream, HostScratch::packed, conv.weights.get_size()));
    const std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, operand(stream, library, conv.input, read_as(stream, x, compute, HostScratch::source))},
        {DNNL_ARG_DIFF_DST,
         operand(stream, library, conv.output, read_as(stream, dy, compute, HostScratch::destination))},
        {DNNL_ARG_DIFF_WEIGHTS, packed},
        {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}};
    if (is_dry(stream)) return true;
    conv.primitive.execute(library.queue, arguments);
    conv.unpack.execute(library.queue, {{DNNL_ARG_FROM, packed},
                                        {DNNL_ARG_TO, {plain_weights(s, DType::f32), library.engine, dweight.raw()}}});
    return true;
  });
}

namespace {
std::string implementation(Stream& stream, Pass pass, const Conv2dShape& s, DType dtype) {
  if (dtype == DType::f64 || s.images == 0) return {};
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(dtype);
    return convolution(stream, library, pass, s, compute, compute, false).implementation;
  });
}
}  // namespace

bool library_widens(Stream& stream, DType dtype) {
  if (dtype != DType::bf16) return false;
  return with_library(stream, [&](OneDnn& library) { return library.compute(dtype) != dtype; });
}

std::string library_conv2d_name(Stream& stream, const Conv2dShape& s, DType dtype) {
  return implementation(stream, Pass::forward, s, dtype);
}
std::string library_conv2d_wgrad_name(Stream& stream, const Conv2dShape& s, DType dtype) {
  return implementation(stream, Pass::wgrad, s, dtype);
}

}  // namespace ascore::kernels::cpu
