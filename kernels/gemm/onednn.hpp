#pragma once

#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/gemm/host_products.hpp"

#include <cstring>
#include <string>

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

/// oneDNN as the cpu sides of conv2d and linear use it. Included by *_onednn.cpp only.
namespace ascore::kernels::cpu {

/// The library's handles, one set per stream: `stream.attached<OneDnn>()`.
struct OneDnn {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream queue{engine};
  /// Without AVX512-BF16 the library emulates bf16 products, three times slower than f32 ones: then bf16 data are
  /// converted and computed in f32.
  bool native_bf16 = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core_bf16;

  /// The type that activations of `dtype` are computed in.
  DType compute(DType dtype) const { return dtype == DType::bf16 && native_bf16 ? DType::bf16 : DType::f32; }
};

inline dnnl::memory::data_type library_type(DType dtype) {
  return dtype == DType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

/// False for the library's reference loops (hundreds of times slower) and for its products of unrolled images (whose
/// sums depend on the batch): there our own products take over.
inline bool is_direct(const std::string& implementation) {
  return implementation.find("ref") == std::string::npos && implementation.find("gemm") == std::string::npos;
}

/// Runs `body(library)` on the stream's threads (the library reads the calling thread's OpenMP setting); its errors
/// become ours, with the running operation's name and shapes.
template <class Body>
auto with_library(Stream& stream, Body&& body) {
  omp_set_num_threads(stream.threads());
  try {
    return body(stream.attached<OneDnn>());
  } catch (const dnnl::error& error) {
    std::string message = stream.current_op() ? stream.current_op()->describe() : std::string("product");
    message.append(": oneDNN: ").append(error.what());
    message.append(" (status ").append(std::to_string(static_cast<int>(error.status))).append(")");
    if (error.status == dnnl_out_of_memory) throw OutOfMemoryError(message);
    throw Error(message);
  }
}

/// `body()` describes a primitive to the library. False if the library has none of that kind.
template <class Body>
bool is_implemented(Body&& body) {
  try {
    body();
    return true;
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) return false;
    throw;
  }
}

/// The values of `x` in dtype `compute`: its own memory, or a copy widened to f32 in `slot`.
inline void* read_as(Stream& stream, ConstView x, DType compute, HostScratch::Slot slot) {
  if (x.dtype() == compute) return const_cast<void*>(x.raw());
  float* const wide = take_scratch<float>(stream, slot, static_cast<size_t>(x.count()));
  widen_values(stream, x.as<bf16>(), x.count(), wide);
  return wide;
}

/// Where to compute `y` in dtype `compute`; `finish_writing` then rounds into y where that is elsewhere.
inline void* write_as(Stream& stream, View y, DType compute) {
  if (y.dtype() == compute) return y.raw();
  return take_scratch<float>(stream, HostScratch::destination, static_cast<size_t>(y.count()));
}
inline void finish_writing(Stream& stream, const void* computed, View y) {
  if (computed != y.raw()) narrow_values(stream, static_cast<const float*>(computed), y.count(), y.as<bf16>());
}

/// `values` in the library's terms. A dry stream has none: the library would write zeros into what pads a layout.
inline dnnl::memory operand(Stream& stream, OneDnn& library, const dnnl::memory::desc& desc, const void* values) {
  return {desc, library.engine, is_dry(stream) ? DNNL_MEMORY_NONE : const_cast<void*>(values)};
}

/// A primitive's scratchpad, in the stream's scratch memory.
inline dnnl::memory scratchpad(Stream& stream, OneDnn& library, const dnnl::memory::desc& desc) {
  return operand(stream, library, desc, take_scratch<std::byte>(stream, HostScratch::library, desc.get_size()));
}
inline dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

}  // namespace ascore::kernels::cpu
