#include "kernels/gemm/host_products.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/parallel.hpp"

#include <algorithm>
#include <array>

namespace ascore::kernels::cpu {

namespace {
constexpr int64_t kChunk = 1 << 14;
constexpr int kGroup = 16;  // columns summed together: a cache line of f32
}  // namespace

void column_sums(Stream& stream, ConstView rows, int64_t count, int64_t columns, View sums) {
  for_cpu_float_type(rows.dtype(), [&]<class T>() {
    const T* const values = rows.as<T>();
    auto* const out = sums.as<accumulator_t<T>>();
    parallel_for(stream, (columns + kGroup - 1) / kGroup, 2, [&](int64_t group) {
      const int64_t begin = group * kGroup, width = std::min<int64_t>(kGroup, columns - begin);
      std::array<double, kGroup> sum{};
      if (width == kGroup) {
        for (int64_t r = 0; r < count; ++r) {
          const T* const row = values + r * columns + begin;
          for (int c = 0; c < kGroup; ++c) sum[c] += static_cast<double>(widen(row[c]));
        }
      } else {
        for (int64_t r = 0; r < count; ++r) {
          const T* const row = values + r * columns + begin;
          for (int64_t c = 0; c < width; ++c) sum[c] += static_cast<double>(widen(row[c]));
        }
      }
      for (int64_t c = 0; c < width; ++c) out[begin + c] = static_cast<accumulator_t<T>>(sum[c]);
    });
  });
}

void widen_values(Stream& stream, const bf16* from, int64_t count, float* to) {
  parallel_chunks(stream, count, kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = widen(from[i]);
  });
}

void narrow_values(Stream& stream, const float* from, int64_t count, bf16* to) {
  parallel_chunks(stream, count, kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = narrow<bf16>(from[i]);
  });
}

template <>
const double* widened<double>(Stream&, ConstView x, HostScratch::Slot) {
  return x.as<double>();
}
template <>
const float* widened<float>(Stream&, ConstView x, HostScratch::Slot) {
  return x.as<float>();
}
template <>
const float* widened<bf16>(Stream& stream, ConstView x, HostScratch::Slot slot) {
  float* const wide = take_scratch<float>(stream, slot, static_cast<size_t>(x.count()));
  widen_values(stream, x.as<bf16>(), x.count(), wide);
  return wide;
}

template <>
const double* weights_for<double>(Stream&, ConstView weight, HostScratch::Slot) {
  return weight.as<double>();
}
template <>
const float* weights_for<float>(Stream&, ConstView weight, HostScratch::Slot) {
  return weight.as<float>();
}
template <>
const float* weights_for<bf16>(Stream& stream, ConstView weight, HostScratch::Slot slot) {
  if (weight.dtype() == DType::bf16) return widened<bf16>(stream, weight, slot);
  float* const out = take_scratch<float>(stream, slot, static_cast<size_t>(weight.count()));
  const float* const from = weight.as<float>();
  parallel_chunks(stream, weight.count(), kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = widen(narrow<bf16>(from[i]));
  });
  return out;
}

}  // namespace ascore::kernels::cpu
