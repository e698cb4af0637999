#include "kernels/core/tensor_core.hpp"

#include "kernels/core/kernel.hpp"
#include "kernels/simt/kernel_error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <bit>
#include <cstring>
#include <numeric>

using namespace ascore;
using namespace ascore::kernels::simt;

namespace {

// ---- ldmatrix -----------------------------------------------------------------------------------------------

template <int Count, bool Transposed>
__global__ void ldmatrix_kernel(const uint16_t* values, uint32_t* out) {
  uint16_t* rows = shared_array<uint16_t, 32 * 8>();
  for (int i = 0; i < 8; ++i) rows[threadIdx.x * 8 + i] = values[threadIdx.x * 8 + i];
  __syncthreads();
  uint32_t registers[Count];
  // Matrices need not be in order, nor rows adjacent: the lanes' addresses say where they are.
  ldmatrix<Count, Transposed>(registers, rows + (threadIdx.x ^ 5u) * 8);
  for (int i = 0; i < Count; ++i) out[threadIdx.x * Count + i] = registers[i];
}

template <int Count, bool Transposed>
void check_ldmatrix(uint64_t schedule) {
  Stream stream(Device::simt, {.schedule = schedule});
  std::vector<uint16_t> values(32 * 8);
  std::iota(values.begin(), values.end(), uint16_t(1000));
  std::vector<uint32_t> out(32 * Count);
  launch(ldmatrix_kernel<Count, Transposed>, 1, 32, 0, stream, values.data(), out.data());
  for (uint32_t lane = 0; lane < 32; ++lane) {
    for (uint32_t i = 0; i < Count; ++i) {
      const auto element = [&](uint32_t row, uint32_t column) { return values[((8 * i + row) ^ 5u) * 8 + column]; };
      const uint32_t g = lane / 4, t = lane % 4;
      const uint32_t low = Transposed ? element(2 * t, g) : element(g, 2 * t);
      const uint32_t high = Transposed ? element(2 * t + 1, g) : element(g, 2 * t + 1);
      CAPTURE(Count, Transposed, lane, i);
      CHECK(out[lane * Count + i] == (low | high << 16));
    }
  }
}

// ---- mma ----------------------------------------------------------------------------------------------------

struct Products {
  static constexpr int kRows = 2, kColumns = 3;
  const uint32_t *a, *b;  // [kRows][32][4], [kColumns][32][2]
  const float* start;     // [kRows][kColumns][32][4]
  float* out;
};

template <bool Bf16>
__global__ void mma_kernel(Products p) {
  uint32_t a[Products::kRows][4], b[Products::kColumns][2];
  float c[Products::kRows][Products::kColumns][4];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = 0; i < Products::kRows; ++i) std::memcpy(a[i], p.a + (i * 32 + lane) * 4, sizeof a[i]);
  for (int j = 0; j < Products::kColumns; ++j) std::memcpy(b[j], p.b + (j * 32 + lane) * 2, sizeof b[j]);
  const auto tile = [&](int i, int j) { return ((i * Products::kColumns + j) * 32 + lane) * 4; };
  for (int i = 0; i < Products::kRows; ++i) {
    for (int j = 0; j < Products::kColumns; ++j) std::memcpy(c[i][j], p.start + tile(i, j), sizeof c[i][j]);
  }
  if constexpr (Bf16)
    mma_bf16(c, a, b);
  else
    mma_tf32(c, a, b);
  for (int i = 0; i < Products::kRows; ++i) {
    for (int j = 0; j < Products::kColumns; ++j) std::memcpy(p.out + tile(i, j), c[i][j], sizeof c[i][j]);
  }
}

/// Checks mma on matrices A [rows][16][depth], B [columns][depth][8] (values that the operand type holds exactly), laid
/// into registers by the formulas of the PTX ISA.
template <bool Bf16>
void check_mma(const std::vector<double>& a, const std::vector<double>& b, const std::vector<double>& start,
               uint32_t ignored_bits) {
  constexpr int kDepth = Bf16 ? 16 : 8, kRows = Products::kRows, kColumns = Products::kColumns;
  const auto bits = [](double value) { return std::bit_cast<uint32_t>(static_cast<float>(value)); };
  const auto pair = [&](double low, double high) { return bits(low) >> 16 | (bits(high) & 0xffff0000u); };
  const auto at_a = [&](int i, int m, int k) { return a[static_cast<size_t>((i * 16 + m) * kDepth + k)]; };
  const auto at_b = [&](int j, int k, int n) { return b[static_cast<size_t>((j * kDepth + k) * 8 + n)]; };
  std::vector<uint32_t> a_registers, b_registers;
  for (int i = 0; i < kRows; ++i) {
    for (int lane = 0; lane < 32; ++lane) {
      const int g = lane / 4, t = lane % 4;
      if (Bf16) {
        for (auto [m, k] : {std::pair(g, 2 * t), {g + 8, 2 * t}, {g, 2 * t + 8}, {g + 8, 2 * t + 8}}) {
          a_registers.push_back(pair(at_a(i, m, k), at_a(i, m, k + 1)));
        }
      } else {
        for (auto [m, k] : {std::pair(g, t), {g + 8, t}, {g, t + 4}, {g + 8, t + 4}}) {
          a_registers.push_back(bits(at_a(i, m, k)) | ignored_bits);
        }
      }
    }
  }
  for (int j = 0; j < kColumns; ++j) {
    for (int lane = 0; lane < 32; ++lane) {
      const int g = lane / 4, t = lane % 4;
      for (int half = 0; half < 2; ++half) {
        const int k = Bf16 ? 2 * t + 8 * half : t + 4 * half;
        b_registers.push_back(Bf16 ? pair(at_b(j, k, g), at_b(j, k + 1, g)) : bits(at_b(j, k, g)) | ignored_bits);
      }
    }
  }
  const std::vector<float> c(start.begin(), start.end());
  for (uint64_t schedule : {0, 1, 2}) {
    Stream stream(Device::simt, {.schedule = schedule});
    std::vector<float> out(c.size());
    launch(mma_kernel<Bf16>, 1, 32, 0, stream, Products{a_registers.data(), b_registers.data(), c.data(), out.data()});
    for (size_t e = 0; e < out.size(); ++e) {
      const int r = static_cast<int>(e % 4), lane = static_cast<int>(e / 4 % 32), tile = static_cast<int>(e / 128);
      const int m = lane / 4 + (r >= 2 ? 8 : 0), n = 2 * (lane % 4) + (r & 1);
      double sum = static_cast<double>(c[e]), size = std::abs(sum);
      for (int k = 0; k < kDepth; ++k) {
        const double product = at_a(tile / kColumns, m, k) * at_b(tile % kColumns, k, n);
        sum += product;
        size += std::abs(product);
      }
      CAPTURE(Bf16, schedule, lane, r, tile);
      CHECK(std::abs(static_cast<double>(out[e]) - sum) <= 1e-6 * size);
    }
  }
}

template <bool Bf16>
std::vector<double> operand(size_t count, uint64_t seed) {
  std::vector<double> values = test::normals(count, seed);
  const uint32_t kept = Bf16 ? 0xffff0000u : 0xffffe000u;
  for (double& v : values) {
    v = static_cast<double>(std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(v)) & kept));
  }
  return values;
}

__global__ void early_exit_kernel(float* out) {
  float c[1][1][4] = {};
  const uint32_t a[1][4] = {}, b[1][2] = {};
  if (threadIdx.x != 7) mma_bf16(c, a, b);
  out[threadIdx.x] = c[0][0][0];
}

__global__ void mixed_kernel(float* out) {
  float c[1][1][4] = {};
  const uint32_t a[1][4] = {}, b[1][2] = {};
  if (threadIdx.x < 16)
    mma_bf16(c, a, b);
  else
    mma_tf32(c, a, b);
  out[threadIdx.x] = c[0][0][0];
}

__global__ void misaligned_kernel(uint32_t* out) {
  uint16_t* rows = shared_array<uint16_t, 40 * 8>();
  uint32_t registers[1];
  ldmatrix<1>(registers, rows + threadIdx.x * 8 + 4);
  out[threadIdx.x] = registers[0];
}

template <class Kernel, class Out>
std::string error_of(Kernel kernel, std::vector<Out> out) {
  Stream stream(Device::simt);
  try {
    launch(kernel, 1, 32, 0, stream, out.data());
  } catch (const KernelError& error) {
    return error.what();
  }
  return "no error";
}

// ---- cp.async -----------------------------------------------------------------------------------------------

template <int Bytes>
__global__ void copy_kernel(const unsigned char* from, int valid, unsigned char* out) {
  unsigned char* shared = shared_array<unsigned char, 32 * 16>() + threadIdx.x * 16;
  cp_async<Bytes>(shared, from + threadIdx.x * Bytes, valid);
  cp_async_commit();
  cp_async_wait<0>();
  __syncthreads();
  // Another thread's bytes, after a barrier.
  const unsigned other = 31 - threadIdx.x;
  for (int i = 0; i < Bytes; ++i) out[other * Bytes + i] = shared_array<unsigned char, 32 * 16>()[other * 16 + i];
}

template <int Bytes>
void check_copy() {
  std::vector<unsigned char> from(32 * Bytes), out(32 * Bytes);
  std::iota(from.begin(), from.end(), static_cast<unsigned char>(1));
  for (int valid = 0; valid <= Bytes; valid += 2) {
    Stream stream(Device::simt);
    launch(copy_kernel<Bytes>, 1, 32, 0, stream, from.data(), valid, out.data());
    for (int i = 0; i < 32 * Bytes; ++i) {
      CAPTURE(Bytes, valid, i);
      CHECK(out[static_cast<size_t>(i)] == (i % Bytes < valid ? from[static_cast<size_t>(i)] : 0));
    }
  }
}

/// out[g][w]: what lies in the place of group g's copy when `w` groups are allowed to be under way; w = 3: at once.
__global__ void groups_kernel(const float* from, float* out) {
  float* shared = shared_array<float, 3 * 32>();
  for (int g = 0; g < 3; ++g) {
    cp_async<4>(shared + g * 32 + threadIdx.x, from + g, 4);
    cp_async_commit();
  }
  const auto look = [&](int w) {
    for (int g = 0; g < 3; ++g) out[(threadIdx.x * 3 + g) * 4 + w] = shared[g * 32 + threadIdx.x];
  };
  look(3);
  cp_async_wait<2>();
  look(2);
  cp_async_wait<1>();
  look(1);
  cp_async_wait<0>();
  look(0);
}

__global__ void open_group_kernel(const float* from, float* out) {
  float* shared = shared_array<float, 32>();
  cp_async<4>(shared + threadIdx.x, from, 4);
  cp_async_wait<0>();  // nothing is committed: waits for nothing
  out[threadIdx.x] = shared[threadIdx.x];
}

}  // namespace

TEST_CASE("ldmatrix hands rows to lanes as the PTX ISA says") {
  const uint64_t schedule = GENERATE(0, 1);
  check_ldmatrix<1, false>(schedule);
  check_ldmatrix<2, false>(schedule);
  check_ldmatrix<4, false>(schedule);
  check_ldmatrix<1, true>(schedule);
  check_ldmatrix<2, true>(schedule);
  check_ldmatrix<4, true>(schedule);
}

TEST_CASE("mma multiplies fragments laid out as the PTX ISA says") {
  constexpr size_t kTiles = Products::kRows * Products::kColumns;
  const std::vector<double> start = operand<true>(kTiles * 128, 3);
  check_mma<true>(operand<true>(Products::kRows * 256, 1), operand<true>(Products::kColumns * 128, 2), start, 0);
  const auto a = operand<false>(Products::kRows * 128, 1), b = operand<false>(Products::kColumns * 64, 2);
  check_mma<false>(a, b, start, 0);
  check_mma<false>(a, b, start, 0x1fff);  // what tf32 has no bits for is not read
}

TEST_CASE("to_tf32 rounds to the nearest of 10 mantissa bits, ties away from zero") {
  for (double value : test::normals(2000, 4)) {
    const float x = static_cast<float>(value * std::exp2(static_cast<int>(value * 20)));
    const double unit = std::exp2(std::ilogb(x) - 10), steps = std::abs(static_cast<double>(x)) / unit;
    const double expected = std::copysign(std::floor(steps + 0.5) * unit, static_cast<double>(x));
    CHECK(static_cast<double>(std::bit_cast<float>(to_tf32(x))) == expected);
  }
  CHECK(std::bit_cast<float>(to_tf32(1 + std::ldexp(1.0f, -11))) == 1 + std::ldexp(1.0f, -10));
  CHECK(std::bit_cast<float>(to_tf32(-1 - std::ldexp(1.0f, -11))) == -1 - std::ldexp(1.0f, -10));
  CHECK(std::bit_cast<float>(to_tf32(0.0f)) == 0);
  CHECK(std::isinf(std::bit_cast<float>(to_tf32(INFINITY))));
  CHECK(std::isnan(std::bit_cast<float>(to_tf32(NAN))));
}

TEST_CASE("a warp-wide instruction that lanes miss, mix up or misalign is an error") {
  CHECK_THAT(error_of(early_exit_kernel, std::vector<float>(32)), Catch::Contains("divergent warp collective"));
  CHECK_THAT(error_of(mixed_kernel, std::vector<float>(32)), Catch::Contains("another warp-wide instruction"));
  CHECK_THAT(error_of(misaligned_kernel, std::vector<uint32_t>(32)), Catch::Contains("not aligned to 16 bytes"));
}

TEST_CASE("cp.async copies, and fills with zeros") {
  check_copy<4>();
  check_copy<8>();
  check_copy<16>();
}

TEST_CASE("cp.async delivers when its group is waited for, not before") {
  Stream stream(Device::simt);
  const std::vector<float> from{1, 2, 3};
  std::vector<float> out(32 * 12);
  launch(groups_kernel, 1, 32, 0, stream, from.data(), out.data());
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t allowed = i % 4, group = i / 4 % 3;
    CAPTURE(allowed, group);
    if (group + allowed < 3)
      CHECK(out[i] == from[group]);
    else
      CHECK(std::isnan(out[i]));
  }
  launch(open_group_kernel, 1, 32, 0, stream, from.data(), out.data());
  CHECK(std::all_of(out.begin(), out.begin() + 32, [](float v) { return std::isnan(v); }));
}
