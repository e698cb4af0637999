#include "benchmarks/measure/sampled_error.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace ascore::bench {

namespace {
constexpr int kSamples = 48;

template <class T>
double element(const std::vector<std::byte>& bytes, int64_t i) {
  T value;
  std::memcpy(&value, bytes.data() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  if constexpr (std::is_same_v<T, uint8_t>) {
    return value;
  } else {
    return widen(value);
  }
}
}  // namespace

HostCopy::HostCopy(Ctx& ctx, const Tensor& x) : bytes_(x.bytes()), shape_(x.shape()), dtype_(x.dtype()) {
  ctx.stream.synchronize();
  copy(ctx.stream, View(bytes_.data(), shape_, dtype_, Device::cpu), x);
}

double HostCopy::operator[](int64_t i) const {
  switch (dtype_) {
    case DType::f64:
      return element<double>(bytes_, i);
    case DType::f32:
      return element<float>(bytes_, i);
    case DType::bf16:
      return element<bf16>(bytes_, i);
    case DType::u8:
      return element<uint8_t>(bytes_, i);
    default:
      throw DTypeError(std::string("benchmarks: no values of dtype ") + name(dtype_));
  }
}

Position position(const Shape& nhwc, int64_t index) {
  const int64_t c = index % nhwc[3], pixel = index / nhwc[3], row = pixel / nhwc[2];
  return {.n = row / nhwc[1], .h = row % nhwc[1], .w = pixel % nhwc[2], .c = c};
}

double relative_error(Ctx& ctx, const Tensor& result, const Reference& reference, int64_t begin, int64_t end) {
  const HostCopy values(ctx, result);
  std::mt19937_64 random(1);
  std::uniform_int_distribution<int64_t> index(begin, (end > 0 ? end : result.count()) - 1);
  double difference = 0, size = 0;
  for (int k = 0; k < kSamples; ++k) {
    const int64_t i = index(random);
    const double wanted = reference(i), got = values[i];
    difference += (got - wanted) * (got - wanted);
    size += wanted * wanted;
  }
  const double error = difference == 0 ? 0 : std::sqrt(difference / size);
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

}  // namespace ascore::bench
