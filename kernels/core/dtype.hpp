#pragma once

#include "kernels/core/host_device.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace ascore {

/// Element types of views and tensors. Images are f32 (u8 at rest), activations f32 or bf16, f64 exists on `cpu` for
/// gradient checks, i64 and i32 hold indices.
enum class DType : uint8_t { f64, f32, bf16, i64, i32, u8 };

/// Upper half of an IEEE f32: 8 exponent bits, 7 mantissa bits.
struct bf16 {
  uint16_t bits;
};

/// Size of one element in bytes.
constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::u8:
      return 1;
  }
  return 0;
}

/// The name used in errors, recipes and tables: "f32", "bf16", ...
constexpr const char* name(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "f64";
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::i64:
      return "i64";
    case DType::i32:
      return "i32";
    case DType::u8:
      return "u8";
  }
  return "?";
}

/// The type that sums, statistics, losses and parameter gradients of `dtype` data are held in: f64 for f64, else f32.
constexpr DType accumulator(DType dtype) {
  return dtype == DType::f64 ? DType::f64 : DType::f32;
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<bf16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

/// C++ type in which elements of type T are computed and summed: double for double, else float.
template <class T>
struct AccumulatorOf {
  using type = float;
};
template <>
struct AccumulatorOf<double> {
  using type = double;
};
template <class T>
using accumulator_t = typename AccumulatorOf<T>::type;

/// f32 to bf16, to nearest even; NaN stays NaN (quiet).
ASCORE_HOST_DEVICE inline bf16 bf16_from_f32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

/// bf16 to f32, exact.
ASCORE_HOST_DEVICE inline float f32_from_bf16(bf16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

/// An element in its accumulator type: float for float and bf16, double for double.
ASCORE_HOST_DEVICE inline float widen(float value) {
  return value;
}
ASCORE_HOST_DEVICE inline double widen(double value) {
  return value;
}
ASCORE_HOST_DEVICE inline float widen(bf16 value) {
  return f32_from_bf16(value);
}

/// The inverse of widen: `narrow<T>(accumulator)`, rounded to nearest even.
template <class T>
ASCORE_HOST_DEVICE inline T narrow(accumulator_t<T> value) {
  return value;
}
template <>
ASCORE_HOST_DEVICE inline bf16 narrow<bf16>(float value) {
  return bf16_from_f32(value);
}

}  // namespace ascore
