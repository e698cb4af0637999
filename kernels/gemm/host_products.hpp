#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"
#include "kernels/gemm/host_scratch.hpp"

#include <cstdint>

/// What the cpu sides of products share.
namespace ascore::kernels::cpu {

/// sums[c] = sum over r of rows[r][c]; rows f32, bf16 or f64, sums f32 (f64 with f64). Summed in f64 in the order of r:
/// the result does not depend on the number of threads.
void column_sums(Stream& stream, ConstView rows, int64_t count, int64_t columns, View sums);

/// f32 of bf16 values.
void widen_values(Stream& stream, const bf16* from, int64_t count, float* to);
/// bf16 of f32 values, to nearest even.
void narrow_values(Stream& stream, const float* from, int64_t count, bf16* to);

/// The values of x, of type T, as accumulators: its own memory, or a copy in `slot`.
template <class T>
const accumulator_t<T>* widened(Stream& stream, ConstView x, HostScratch::Slot slot);
template <>
const double* widened<double>(Stream& stream, ConstView x, HostScratch::Slot slot);
template <>
const float* widened<float>(Stream& stream, ConstView x, HostScratch::Slot slot);
template <>
const float* widened<bf16>(Stream& stream, ConstView x, HostScratch::Slot slot);

/// The weights as products with activations of type T see them, in the type that these products are computed in: the
/// memory itself where nothing changes, else a copy in `slot`. f32 weights beside bf16 activations are rounded to bf16.
template <class T>
const accumulator_t<T>* weights_for(Stream& stream, ConstView weight, HostScratch::Slot slot);
template <>
const double* weights_for<double>(Stream& stream, ConstView weight, HostScratch::Slot slot);
template <>
const float* weights_for<float>(Stream& stream, ConstView weight, HostScratch::Slot slot);
template <>
const float* weights_for<bf16>(Stream& stream, ConstView weight, HostScratch::Slot slot);

}  // namespace ascore::kernels::cpu
