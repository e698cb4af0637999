#include "tests/support/devices.hpp"

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <random>
#include <sstream>

#include <fmt/format.h>

namespace ascore::test {

std::vector<Device> devices() {
  std::vector<Device> wanted;
  if (const char* list = std::getenv("ASCORE_TEST_DEVICES")) {
    std::istringstream in(list);
    for (std::string word; std::getline(in, word, ',');) {
      for (Device device : {Device::cpu, Device::simt, Device::cuda}) {
        if (word == name(device)) wanted.push_back(device);
      }
    }
    if (wanted.empty()) throw std::runtime_error("ASCORE_TEST_DEVICES names no device: cpu, simt or cuda");
    for (Device device : wanted) {
      if (!is_available(device))
        throw std::runtime_error(fmt::format("{}: {}", name(device), unavailable_reason(device)));
    }
    return wanted;
  }
  for (Device device : {Device::cpu, Device::simt, Device::cuda}) {
    if (is_available(device)) wanted.push_back(device);
  }
  return wanted;
}

std::vector<uint64_t> schedules(Device device) {
  if (device == Device::simt) return {0, 1, 2};
  return {0};
}

Buffer::Buffer(Device device, const Shape& shape, DType dtype)
    : allocator_(make_guarded_allocator(device)),
      tensor_(allocator_->allocate(static_cast<size_t>(shape.count()) * size_of(dtype), MemoryKind::data), 0, shape,
              dtype) {}

namespace {

template <class Body>
void for_any_type(DType dtype, Body body) {
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
      return body.template operator()<uint8_t>();
  }
}

template <class T>
double to_double(T value) {
  if constexpr (std::is_same_v<T, bf16>)
    return widen(value);
  else
    return static_cast<double>(value);
}

template <class T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, bf16>)
    return bf16_from_f32(static_cast<float>(value));
  else
    return static_cast<T>(value);
}

}  // namespace

std::vector<double> Buffer::values() const {
  std::vector<double> result(static_cast<size_t>(tensor_.count()));
  Stream stream(tensor_.device());
  for_any_type(dtype(), [&]<class T>() {
    std::vector<T> raw(result.size());
    if constexpr (kCudaBuilt) {
      if (tensor_.device() == Device::cuda) Stream(Device::cuda).synchronize();
    }
    copy(stream, View(raw.data(), shape(), dtype(), Device::cpu), tensor_);
    std::transform(raw.begin(), raw.end(), result.begin(), to_double<T>);
  });
  return result;
}

void Buffer::set(std::span<const double> values) {
  REQUIRE(values.size() == static_cast<size_t>(tensor_.count()));
  Stream stream(tensor_.device());
  for_any_type(dtype(), [&]<class T>() {
    std::vector<T> raw(values.size());
    std::transform(values.begin(), values.end(), raw.begin(), from_double<T>);
    copy(stream, tensor_, ConstView(raw.data(), shape(), dtype(), Device::cpu));
  });
}

std::vector<double> normals(size_t count, uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) value = normal(engine);
  return values;
}

Buffer data(Device device, const Shape& shape, DType dtype, Fill fill, uint64_t seed) {
  std::vector<double> values = normals(static_cast<size_t>(shape.count()), seed);
  for (double& value : values) {
    switch (fill) {
      case Fill::normal:
        break;
      case Fill::far_from_zero:
        value = 100 + 0.1 * value;
        break;
      case Fill::constant:
        value = 1.25;
        break;
      case Fill::integers:
        value = std::clamp(std::round(2 * value), -4.0, 4.0);
        break;
    }
  }
  return buffer(device, shape, dtype, values);
}

Buffer poisoned(Device device, const Shape& shape, DType dtype) {
  return Buffer(device, shape, dtype);
}

Buffer buffer(Device device, const Shape& shape, DType dtype, std::span<const double> values) {
  Buffer result(device, shape, dtype);
  result.set(values);
  return result;
}

Bench::Bench(Device device, DType compute, uint64_t schedule)
    : stream(device, {.threads = 0, .schedule = schedule}),
      allocator(make_pool_allocator(device)),
      ctx{.stream = stream, .allocator = *allocator, .compute = compute} {}

Tensor Bench::normal(const Shape& shape, DType dtype, uint64_t seed) const {
  return ctx.from_host(normals(static_cast<size_t>(shape.count()), seed), shape, dtype);
}

void require_kernels_ran(Stream& stream) {
  stream.synchronize();
  if (stream.device() == Device::simt) REQUIRE(stream.simt_counters().threads > 0);
}

}  // namespace ascore::test
