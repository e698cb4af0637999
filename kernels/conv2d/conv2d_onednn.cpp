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
///
/// The gradient of x, for stride 1 and an odd kernel, is itself a convolution, of dy with the weights *turned*:
/// mirrored in both directions, inputs and outputs exchanged. The library's forward kernels do that 15-25 % faster than
/// those it has for gradients, which compute the others.
namespace ascore::kernels::cpu {

namespace {

using dnnl::memory;
using Tag = memory::format_tag;

/// One prepared convolution: what runs, and the layouts it wants.
struct Convolution {
  std::string implementation;  ///< empty: the library has no direct kernel
  dnnl::primitive primitive;
  memory::desc x, weights, y, scratch;  ///< or their gradients
  dnnl::primitive unpack;               ///< wgrad: from `weights` to [O,k,k,I]
};

/// Sizes of a convolution by windows of any shape.
struct WindowShape {
  int images, height, width, in, out;
  int rows, columns;  ///< taps
  int stride, dilation;
  int pad_rows, pad_columns;
  int out_height, out_width;

  WindowShape(const Conv2dShape& s)
      : images(s.images),
        height(s.height),
        width(s.width),
        in(s.in),
        out(s.out),
        rows(s.kernel),
        columns(s.kernel),
        stride(s.stride),
        dilation(s.dilation),
        pad_rows(s.padding()),
        pad_columns(s.padding()),
        out_height(s.out_height()),
        out_width(s.out_width()) {}
  WindowShape(const PixelGather& g, int outputs)
      : images(g.images),
        height(g.source_height),
        width(g.source_width),
        in(g.channels),
        out(outputs),
        rows(g.taps_h),
        columns(g.taps_w),
        stride(g.row_step),
        dilation(g.tap_step),
        pad_rows(-g.first_h),
        pad_columns(-g.first_w),
        out_height(g.out_height),
        out_width(g.out_width) {}
  int taps() const { return rows * columns; }
  auto operator<=>(const WindowShape&) const = default;
};

/// The convolutions that a stream has met.
struct Convolutions {
  using Key = std::tuple<Conv2dPass, WindowShape, DType, DType, bool>;
  std::map<Key, Convolution> known;
};

memory::desc plain_weights(const WindowShape& s, DType dtype) {
  return {{s.out, s.in, s.rows, s.columns}, library_type(dtype), Tag::ohwi};
}

enum class Weights { as_they_are, turned };

bool turns_weights(const Conv2dShape& s) {
  return s.stride == 1 && s.kernel % 2 == 1;
}
/// The sizes of the convolution with turned weights that computes dx.
Conv2dShape turned(const Conv2dShape& s) {
  return {s.images, s.height, s.width, s.out, s.in, s.kernel, 1, s.dilation};
}

/// to[i][last - tap][o] = from[o][tap][i], where `s` are the sizes of the convolution that reads `to`: i counts its
/// outputs, o its inputs.
void turn_weights(Stream& stream, const WindowShape& s, const float* from, float* to) {
  constexpr int kBlock = 32;  // squares that stay in the cache while they are transposed
  parallel_for(stream, (s.in + kBlock - 1) / kBlock, 2, [&](int64_t block) {
    const int begin_o = static_cast<int>(block) * kBlock, end_o = std::min(begin_o + kBlock, s.in);
    for (int tap = 0; tap < s.taps(); ++tap) {
      for (int begin_i = 0; begin_i < s.out; begin_i += kBlock) {
        const int end_i = std::min(begin_i + kBlock, s.out);
        for (int i = begin_i; i < end_i; ++i) {
          float* const row = to + (int64_t(i) * s.taps() + s.taps() - 1 - tap) * s.in;
          for (int o = begin_o; o < end_o; ++o) row[o] = from[(int64_t(o) * s.taps() + tap) * s.out + i];
        }
      }
    }
  });
}

/// `compute`: type of what is multiplied; `result`: of the images that come out (of a weight gradient it is f32).
/// `runs`: the primitives are made too, which compiles their code; else memory and layouts are told alone.
Convolution prepare(OneDnn& library, Conv2dPass pass, const WindowShape& s, DType compute, DType result, bool has_bias,
                    bool runs) {
  const auto type = library_type(compute), result_type = library_type(result), f32 = memory::data_type::f32;
  const memory::dims x_sizes{s.images, s.in, s.height, s.width}, y_sizes{s.images, s.out, s.out_height, s.out_width};
  const memory::dims padding{s.pad_rows, s.pad_columns}, dilation(2, s.dilation - 1), stride(2, s.stride);
  const memory::dims weight_sizes{s.out, s.in, s.rows, s.columns};
  const memory::desc weights(weight_sizes, type, Tag::any), gradient(weight_sizes, f32, Tag::any);
  const memory::desc bias = has_bias ? memory::desc({s.out}, f32, Tag::a) : memory::desc();
  const auto direct = dnnl::algorithm::convolution_direct;
  const auto attributes = user_scratchpad();
  Convolution conv;
  conv.x = {x_sizes, pass == Conv2dPass::dgrad ? result_type : type, Tag::nhwc};
  conv.y = {y_sizes, pass == Conv2dPass::forward ? result_type : type, Tag::nhwc};
  is_implemented([&] {
    // What runs, or the hint that the library asks for beside a gradient's.
    const memory::desc x(x_sizes, type, Tag::nhwc);
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direct, x, weights, bias, conv.y, stride, dilation, padding, padding},
        attributes, library.engine);
    const auto take = [&](const auto& description, const memory::desc& layout, auto make) {
      conv.weights = layout;
      conv.scratch = description.scratchpad_desc();
      if (is_direct(description.impl_info_str())) conv.implementation = description.impl_info_str();
      if (runs) conv.primitive = make(description);
    };
    switch (pass) {
      case Conv2dPass::forward:
        take(forward, forward.weights_desc(), [](const auto& d) { return dnnl::convolution_forward(d); });
        break;
      case Conv2dPass::dgrad: {
        const dnnl::convolution_backward_data::primitive_desc backward(
            {direct, conv.x, weights, conv.y, stride, dilation, padding, padding}, attributes, library.engine, forward);
        take(backward, backward.weights_desc(), [](const auto& d) { return dnnl::convolution_backward_data(d); });
        break;
      }
      case Conv2dPass::wgrad: {
        const dnnl::convolution_backward_weights::primitive_desc backward(
            {direct, conv.x, gradient, conv.y, stride, dilation, padding, padding}, attributes, library.engine,
            forward);
        take(backward, backward.diff_weights_desc(),
             [](const auto& d) { return dnnl::convolution_backward_weights(d); });
        if (runs) {
          conv.unpack = dnnl::reorder(dnnl::reorder::primitive_desc(library.engine, conv.weights, library.engine,
                                                                    plain_weights(s, DType::f32)));
        }
        break;
      }
    }
  });
  return conv;
}

const Convolution& convolution(Stream& stream, OneDnn& library, Conv2dPass pass, const WindowShape& s, DType compute,
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
memory plain_source(Stream& stream, OneDnn& library, const WindowShape& s, ConstView weight, Weights use,
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
memory packed_weights(Stream& stream, OneDnn& library, const WindowShape& s, ConstView weight, Weights use,
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

/// Makes y of its sums, in pieces that stay in the first-level cache (whole runs of pixels, where they are measured;
/// whole pixels, where a bias is added).
void finish_images(Stream& stream, const Finish& epilogue, float* sums, View y) {
  constexpr int64_t kPiece = 1 << 12;
  const int64_t C = y.dim(3), pixels = epilogue.runs ? epilogue.run_length : std::max<int64_t>(1, kPiece / C);
  const int64_t piece = epilogue.runs || epilogue.bias ? pixels * C : kPiece;
  for_float_type(y.dtype(), [&]<class T>() {
    parallel_chunks(stream, y.count(), piece,
                    [&](int64_t begin, int64_t end) { finish(epilogue, sums + begin, begin, end - begin, y.as<T>()); });
  });
}

/// The passes whose results are images: y of x, or dx of dy.
bool multiply_images(Stream& stream, Conv2dPass pass, const WindowShape& s, ConstView from, ConstView weight,
                     Weights use, ConstView bias, const Finish& epilogue, View to) {
  if (from.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(from.dtype());
    // An epilogue works on sums that are not rounded yet.
    const DType result = epilogue.none() ? compute : DType::f32;
    const Convolution& conv = convolution(stream, library, pass, s, compute, result, bias.present());
    if (conv.implementation.empty()) return false;
    void* const in = read_as(stream, from, compute, HostScratch::source);
    void* const out = write_as(stream, to, result);
    const bool forward = pass == Conv2dPass::forward;
    std::unordered_map<int, memory> arguments{
        {forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_SRC, operand(stream, library, conv.x, forward ? in : out)},
        {DNNL_ARG_WEIGHTS, packed_weights(stream, library, s, weight, use, from.dtype(), conv.weights)},
        {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, operand(stream, library, conv.y, forward ? out : in)},
        {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}};
    if (bias) {
      const memory::desc desc({s.out}, memory::data_type::f32, Tag::a);
      arguments.emplace(DNNL_ARG_BIAS, operand(stream, library, desc, bias.raw()));
    }
    if (is_dry(stream)) return true;
    conv.primitive.execute(library.queue, arguments);
    if (epilogue.none()) {
      finish_writing(stream, out, to);
    } else {
      finish_images(stream, epilogue, static_cast<float*>(out), to);
    }
    return true;
  });
}

}  // namespace

bool library_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias,
                    const Finish& epilogue, View y) {
  return multiply_images(stream, Conv2dPass::forward, s, x, weight, Weights::as_they_are, bias, epilogue, y);
}

bool library_window_conv2d(Stream& stream, const PixelGather& g, ConstView x, ConstView weight, ConstView bias,
                           const Finish& epilogue, View y) {
  if (x.dtype() != DType::f32) return false;
  return multiply_images(stream, Conv2dPass::forward, {g, static_cast<int>(weight.dim(0))}, x, weight,
                         Weights::as_they_are, bias, epilogue, y);
}

bool library_conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, const Finish& epilogue,
                          View dx) {
  if (!turns_weights(s)) {
    return multiply_images(stream, Conv2dPass::dgrad, s, dy, weight, Weights::as_they_are, {}, epilogue, dx);
  }
  return multiply_images(stream, Conv2dPass::forward, turned(s), dy, weight, Weights::turned, {}, epilogue, dx);
}

bool library_conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight) {
  if (x.dtype() == DType::f64) return false;
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(x.dtype());
    const Convolution& conv = convolution(stream, library, Conv2dPass::wgrad, s, compute, compute, false);
    if (conv.implementation.empty()) return false;
    const memory packed = operand(stream, library, conv.weights,
                                  take_scratch<std::byte>(stream, HostScratch::packed, conv.weights.get_size()));
    const std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, operand(stream, library, conv.x, read_as(stream, x, compute, HostScratch::source))},
        {DNNL_ARG_DIFF_DST, operand(stream, library, conv.y, read_as(stream, dy, compute, HostScratch::destination))},
        {DNNL_ARG_DIFF_WEIGHTS, packed},
        {DNNL_ARG_SCRATCHPAD, scratchpad(stream, library, conv.scratch)}};
    if (is_dry(stream)) return true;
    conv.primitive.execute(library.queue, arguments);
    conv.unpack.execute(library.queue, {{DNNL_ARG_FROM, packed},
                                        {DNNL_ARG_TO, {plain_weights(s, DType::f32), library.engine, dweight.raw()}}});
    return true;
  });
}

bool library_multiplies_bf16(Stream& stream) {
  return with_library(stream, [&](OneDnn& library) { return library.native_bf16; });
}

std::string library_conv2d_name(Stream& stream, Conv2dPass pass, const Conv2dShape& s, DType dtype) {
  if (dtype == DType::f64 || s.images == 0) return {};
  if (pass == Conv2dPass::dgrad && turns_weights(s)) {
    return library_conv2d_name(stream, Conv2dPass::forward, turned(s), dtype);
  }
  return with_library(stream, [&](OneDnn& library) {
    const DType compute = library.compute(dtype);
    return convolution(stream, library, pass, s, compute, compute, false).implementation;
  });
}

}  // namespace ascore::kernels::cpu
