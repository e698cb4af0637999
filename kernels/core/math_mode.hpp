#pragma once

#include <cstdint>

namespace ascore {

/// How simt and cuda multiply f32 (sums are f32 in both): `f32` as three tf32 products of operands split in two, within
/// 2^-20 of each |a b| beside the f32 sum's own rounding; `tf32` as one product of operands rounded to 11 bits, 2^-11
/// each, at a third of the cost. bf16 is not concerned, nor is cpu, which multiplies f32 as such. Non-finite operands
/// of `f32` give NaN, also where a b would be infinite.
enum class MathMode : uint8_t { f32, tf32 };

}  // namespace ascore
