#include "engine/autograd/context.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

Tensor Ctx::empty(const Shape& shape, DType dtype, MemoryKind kind) const {
  const size_t bytes = static_cast<size_t>(shape.count()) * size_of(dtype);
  return Tensor(allocator.allocate(bytes, kind), 0, shape, dtype);
}

Tensor Ctx::zeros(const Shape& shape, DType dtype, MemoryKind kind) const {
  Tensor x = empty(shape, dtype, kind);
  fill_bytes(stream, x, 0);
  return x;
}

Tensor Ctx::scalars(std::span<const double> values) const {
  return from_host(values, Shape{static_cast<int64_t>(values.size())}, DType::f64);
}

Tensor Ctx::from_host(std::span<const double> values, const Shape& shape, DType dtype) const {
  Tensor x = empty(shape, dtype);
  if (dtype == DType::f64) {
    copy(stream, x, ConstView(values.data(), shape, dtype, Device::cpu));
  } else if (dtype == DType::f32) {
    const std::vector<float> narrow(values.begin(), values.end());
    copy(stream, x, ConstView(narrow.data(), shape, dtype, Device::cpu));
  } else {
    throw DTypeError(fmt::format("from_host: {} is neither f32 nor f64", name(dtype)));
  }
  return x;
}

namespace {
template <class T>
std::vector<double> read(Stream& stream, const Tensor& x) {
  std::vector<T> raw(static_cast<size_t>(x.count()));
  stream.synchronize();
  copy(stream, View(raw.data(), x.shape(), x.dtype(), Device::cpu), x);
  std::vector<double> values(raw.size());
  std::transform(raw.begin(), raw.end(), values.begin(), [](T value) { return static_cast<double>(widen(value)); });
  return values;
}
}  // namespace

std::vector<double> Ctx::to_host(const Tensor& x) const {
  switch (x.dtype()) {
    case DType::f64:
      return read<double>(stream, x);
    case DType::f32:
      return read<float>(stream, x);
    case DType::bf16:
      return read<bf16>(stream, x);
    default:
      throw DTypeError(fmt::format("to_host: {} is no floating type", name(x.dtype())));
  }
}

}  // namespace ascore
