#include "kernels/simt/tensor_core.hpp"

#include <bit>

/// Fragments of the tensor-core instructions, as the PTX ISA lays them out over the lanes of a warp.
namespace ascore::kernels::simt::tensor_core {

namespace {

constexpr int kLanes = 32;

constexpr int group_of(int lane) {
  return lane / 4;
}
constexpr int place_of(int lane) {
  return lane % 4;
}

float low_bf16(uint32_t pair) {
  return std::bit_cast<float>(pair << 16);
}
float high_bf16(uint32_t pair) {
  return std::bit_cast<float>(pair & 0xffff0000u);
}
/// What a tensor core reads of a 32-bit register of tf32.
float read_tf32(uint32_t bits) {
  return std::bit_cast<float>(bits & 0xffffe000u);
}

/// How the operands of bf16 m16n8k16 lie in registers: pairs of neighbouring k.
struct Bf16Fragments {
  static constexpr int kDepth = 16;
  static void unpack_a(int lane, const uint32_t* a, float (&matrix)[16][16]) {
    for (int r = 0; r < 4; ++r) {
      const int m = group_of(lane) + r % 2 * 8, k = place_of(lane) * 2 + r / 2 * 8;
      matrix[m][k] = low_bf16(a[r]);
      matrix[m][k + 1] = high_bf16(a[r]);
    }
  }
  static void unpack_b(int lane, const uint32_t* b, float (&matrix)[16][8]) {
    for (int r = 0; r < 2; ++r) {
      const int k = place_of(lane) * 2 + r * 8, n = group_of(lane);
      matrix[k][n] = low_bf16(b[r]);
      matrix[k + 1][n] = high_bf16(b[r]);
    }
  }
};

/// How the operands of tf32 m16n8k8 lie in registers.
struct Tf32Fragments {
  static constexpr int kDepth = 8;
  static void unpack_a(int lane, const uint32_t* a, float (&matrix)[16][8]) {
    for (int r = 0; r < 4; ++r) {
      matrix[group_of(lane) + r % 2 * 8][place_of(lane) + r / 2 * 4] = read_tf32(a[r]);
    }
  }
  static void unpack_b(int lane, const uint32_t* b, float (&matrix)[8][8]) {
    for (int r = 0; r < 2; ++r) matrix[place_of(lane) + r * 4][group_of(lane)] = read_tf32(b[r]);
  }
};

/// Row and column of register r of a lane's part of c.
constexpr int row_of_c(int lane, int r) {
  return group_of(lane) + r / 2 * 8;
}
constexpr int column_of_c(int lane, int r) {
  return place_of(lane) * 2 + r % 2;
}

/// c += a b for one warp, from the operands as full matrices. Products of bf16 or tf32 are exact; their sum with c is
/// rounded once. (PTX leaves the order and the precision of that sum open.)
template <int Depth>
void multiply(const float (&a)[16][Depth], const float (&b)[Depth][8], float (&c)[16][8]) {
  for (int m = 0; m < 16; ++m) {
    double sums[8];
    for (int n = 0; n < 8; ++n) sums[n] = static_cast<double>(c[m][n]);
    for (int k = 0; k < Depth; ++k) {
      for (int n = 0; n < 8; ++n) sums[n] += static_cast<double>(a[m][k]) * static_cast<double>(b[k][n]);
    }
    for (int n = 0; n < 8; ++n) c[m][n] = static_cast<float>(sums[n]);
  }
}

template <class Fragments>
void multiply_fragments(void* const* lanes) {
  constexpr int kDepth = Fragments::kDepth;
  const auto of = [&](int lane) -> const ProductRegisters& { return *static_cast<ProductRegisters*>(lanes[lane]); };
  const int rows = of(0).rows, columns = of(0).columns;
  float b[kMaxFragments][kDepth][8];
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int j = 0; j < columns; ++j) Fragments::unpack_b(lane, of(lane).b + 2 * j, b[j]);
  }
  for (int i = 0; i < rows; ++i) {
    float a[16][kDepth];
    for (int lane = 0; lane < kLanes; ++lane) Fragments::unpack_a(lane, of(lane).a + 4 * i, a);
    for (int j = 0; j < columns; ++j) {
      const int first = (i * columns + j) * 4;
      float c[16][8];
      for (int lane = 0; lane < kLanes; ++lane) {
        for (int r = 0; r < 4; ++r) c[row_of_c(lane, r)][column_of_c(lane, r)] = of(lane).c[first + r];
      }
      multiply<kDepth>(a, b[j], c);
      for (int lane = 0; lane < kLanes; ++lane) {
        for (int r = 0; r < 4; ++r) of(lane).c[first + r] = c[row_of_c(lane, r)][column_of_c(lane, r)];
      }
    }
  }
}

}  // namespace

void multiply_bf16(void* const* lanes) {
  multiply_fragments<Bf16Fragments>(lanes);
}
void multiply_tf32(void* const* lanes) {
  multiply_fragments<Tf32Fragments>(lanes);
}

void exchange_rows(void* const* lanes) {
  const auto of = [&](int lane) -> LoadSide& { return *static_cast<LoadSide*>(lanes[lane]); };
  for (int lane = 0; lane < kLanes; ++lane) {
    LoadSide& side = of(lane);
    for (int i = 0; i < side.count; ++i) {
      const int row = side.transposed ? 2 * place_of(lane) : group_of(lane);
      side.first[i] = of(8 * i + row).row;
      if (side.transposed) side.second[i] = of(8 * i + row + 1).row;
    }
  }
}

}  // namespace ascore::kernels::simt::tensor_core
