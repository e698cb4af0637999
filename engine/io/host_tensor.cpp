#include "engine/io/host_tensor.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <type_traits>

#include <fmt/format.h>

namespace ascore {

namespace {

template <class Body>
auto with_type(DType dtype, Body body) {
  switch (dtype) {
    case DType::f64:
      return body.template operator()<double>();
    case DType::f32:
      return body.template operator()<float>();
    case DType::bf16:
      return body.template operator()<bf16>();
    case DType::i64:
      return body.template operator()<int64_t>();
    case DType::i32:
      return body.template operator()<int32_t>();
    case DType::u8:
      break;
  }
  return body.template operator()<uint8_t>();
}

// `rows` blocks of [a,b] elements become blocks of [b,a].
HostTensor transpose_blocks(const HostTensor& x, const Shape& shape, size_t rows, size_t a, size_t b) {
  HostTensor y(shape, x.dtype);
  const size_t size = size_of(x.dtype);
  for (size_t r = 0; r < rows; ++r) {
    const std::byte* from = x.bytes.data() + r * a * b * size;
    std::byte* to = y.bytes.data() + r * a * b * size;
    for (size_t i = 0; i < a; ++i) {
      for (size_t j = 0; j < b; ++j) std::memcpy(to + (j * a + i) * size, from + (i * b + j) * size, size);
    }
  }
  return y;
}

size_t product(std::span<const int64_t> dims) {
  size_t count = 1;
  for (int64_t d : dims) count *= static_cast<size_t>(d);
  return count;
}

}  // namespace

HostTensor::HostTensor(const Shape& s, DType d) : shape(s), dtype(d) {
  const size_t wanted = static_cast<size_t>(s.count()) * size_of(d);
  try {
    bytes.resize(wanted);
  } catch (const std::exception&) {  // bad_alloc, or length_error for more than any machine has
    throw OutOfMemoryError(fmt::format("out of memory: {:.1f} MiB of host memory wanted for an array of {} {}",
                                       static_cast<double>(wanted) / (1 << 20), name(d), to_string(s)));
  }
}

HostTensor HostTensor::from_bytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype) {
  HostTensor x(shape, dtype);
  if (bytes.size() != x.bytes.size()) {
    throw ShapeError(
        fmt::format("{} values do not fill an array of shape {}", bytes.size() / size_of(dtype), to_string(shape)));
  }
  std::copy(bytes.begin(), bytes.end(), x.bytes.begin());
  return x;
}

HostTensor HostTensor::from_doubles(std::span<const double> values, const Shape& shape, DType dtype) {
  return with_type(dtype, [&]<class T>() {
    std::vector<T> narrowed(values.size());
    std::transform(values.begin(), values.end(), narrowed.begin(), [](double value) {
      if constexpr (std::is_same_v<T, bf16>)
        return bf16_from_f32(static_cast<float>(value));
      else
        return static_cast<T>(value);
    });
    return from(narrowed, shape);
  });
}

std::vector<double> HostTensor::to_doubles() const {
  return with_type(dtype, [&]<class T>() {
    const std::span<const T> values = as<T>();
    std::vector<double> result(values.size());
    std::transform(values.begin(), values.end(), result.begin(), [](T value) {
      if constexpr (std::is_same_v<T, bf16>)
        return static_cast<double>(f32_from_bf16(value));
      else
        return static_cast<double>(value);
    });
    return result;
  });
}

void HostTensor::require(DType wanted) const {
  if (dtype != wanted) throw DTypeError(fmt::format("array of {} read as {}", name(dtype), name(wanted)));
}

bool all_finite(const HostTensor& x) {
  return with_type(x.dtype, [&]<class T>() {
    const std::span<const T> values = x.as<T>();
    return std::all_of(values.begin(), values.end(), [](T value) {
      if constexpr (std::is_same_v<T, bf16>)
        return std::isfinite(f32_from_bf16(value));
      else if constexpr (std::is_floating_point_v<T>)
        return std::isfinite(value);
      else
        return true;
    });
  });
}

HostTensor channels_last(const HostTensor& x) {
  if (x.shape.rank() < 4) return x;
  std::vector<int64_t> dims(x.shape.dims().begin(), x.shape.dims().end());
  const size_t rank = dims.size();
  const size_t outer = product(std::span(dims).first(rank - 3));
  const size_t channels = static_cast<size_t>(dims[rank - 3]);
  const size_t pixels = product(std::span(dims).last(2));
  std::rotate(dims.end() - 3, dims.end() - 2, dims.end());
  return transpose_blocks(x, Shape(std::span<const int64_t>(dims)), outer, channels, pixels);
}

HostTensor channels_first(const HostTensor& x) {
  if (x.shape.rank() < 4) return x;
  std::vector<int64_t> dims(x.shape.dims().begin(), x.shape.dims().end());
  const size_t rank = dims.size();
  const size_t outer = product(std::span(dims).first(rank - 3));
  const size_t channels = static_cast<size_t>(dims[rank - 1]);
  const size_t pixels = product(std::span(dims).subspan(rank - 3, 2));
  std::rotate(dims.end() - 3, dims.end() - 1, dims.end());
  return transpose_blocks(x, Shape(std::span<const int64_t>(dims)), outer, pixels, channels);
}

}  // namespace ascore
