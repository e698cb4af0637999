#include "kernels/gemm/panel_product.hpp"

#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// One function per set of instructions, chosen when the first product runs: the build is for older processors too.
namespace ascore::kernels::cpu {

namespace {

enum class Rows { apart, adjacent };

/// Where a[r][d] lies.
template <Rows rows>
const float& element(const float* a, int64_t pitch, int64_t r, int64_t d) {
  return rows == Rows::apart ? a[r * pitch + d] : a[d * pitch + r];
}

struct Product {
  using Function = void (*)(const float*, int64_t, const float*, int64_t, bool, float*, int64_t);
  Function apart, adjacent;
  const char* name;
};

template <Rows rows>
void portable(const float* a, int64_t pitch, const float* b, int64_t depth, bool add, float* c, int64_t c_pitch) {
  for (int64_t r = 0; r < kPanelRows; ++r) {
    float* const sums = c + r * c_pitch;
    for (int j = 0; j < kPanelColumns; ++j) sums[j] = add ? sums[j] : 0.0F;
    for (int64_t d = 0; d < depth; ++d) {
      const float factor = element<rows>(a, pitch, r, d);
      for (int j = 0; j < kPanelColumns; ++j) sums[j] = std::fma(factor, b[d * kPanelColumns + j], sums[j]);
    }
  }
}

#if defined(__x86_64__)

template <Rows rows>
__attribute__((target("avx512f"))) void avx512(const float* a, int64_t pitch, const float* b, int64_t depth, bool add,
                                               float* c, int64_t c_pitch) {
  __m512 sums[kPanelRows][2];
  for (int r = 0; r < kPanelRows; ++r) {
    sums[r][0] = add ? _mm512_loadu_ps(c + r * c_pitch) : _mm512_setzero_ps();
    sums[r][1] = add ? _mm512_loadu_ps(c + r * c_pitch + 16) : _mm512_setzero_ps();
  }
  for (int64_t d = 0; d < depth; ++d, b += kPanelColumns) {
    const __m512 left = _mm512_loadu_ps(b), right = _mm512_loadu_ps(b + 16);
    for (int r = 0; r < kPanelRows; ++r) {
      const __m512 factor = _mm512_set1_ps(element<rows>(a, pitch, r, d));
      sums[r][0] = _mm512_fmadd_ps(factor, left, sums[r][0]);
      sums[r][1] = _mm512_fmadd_ps(factor, right, sums[r][1]);
    }
  }
  for (int r = 0; r < kPanelRows; ++r) {
    _mm512_storeu_ps(c + r * c_pitch, sums[r][0]);
    _mm512_storeu_ps(c + r * c_pitch + 16, sums[r][1]);
  }
}

/// Sixteen registers hold 6 x 16 sums: four such tiles one after another.
template <Rows rows>
__attribute__((target("avx2,fma"))) void avx2(const float* a, int64_t pitch, const float* b, int64_t depth, bool add,
                                              float* c, int64_t c_pitch) {
  constexpr int kRows = 6, kColumns = 16;
  for (int first = 0; first < kPanelRows; first += kRows) {
    for (int column = 0; column < kPanelColumns; column += kColumns) {
      float* const tile = c + first * c_pitch + column;
      __m256 sums[kRows][2];
      for (int r = 0; r < kRows; ++r) {
        sums[r][0] = add ? _mm256_loadu_ps(tile + r * c_pitch) : _mm256_setzero_ps();
        sums[r][1] = add ? _mm256_loadu_ps(tile + r * c_pitch + 8) : _mm256_setzero_ps();
      }
      for (int64_t d = 0; d < depth; ++d) {
        const float* const line = b + d * kPanelColumns + column;
        const __m256 left = _mm256_loadu_ps(line), right = _mm256_loadu_ps(line + 8);
        for (int r = 0; r < kRows; ++r) {
          const __m256 factor = _mm256_set1_ps(element<rows>(a, pitch, first + r, d));
          sums[r][0] = _mm256_fmadd_ps(factor, left, sums[r][0]);
          sums[r][1] = _mm256_fmadd_ps(factor, right, sums[r][1]);
        }
      }
      for (int r = 0; r < kRows; ++r) {
        _mm256_storeu_ps(tile + r * c_pitch, sums[r][0]);
        _mm256_storeu_ps(tile + r * c_pitch + 8, sums[r][1]);
      }
    }
  }
}

#endif

Product choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {avx512<Rows::apart>, avx512<Rows::adjacent>, "avx512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {avx2<Rows::apart>, avx2<Rows::adjacent>, "avx2"};
  }
#endif
  return {portable<Rows::apart>, portable<Rows::adjacent>, "portable"};
}

const Product& product() {
  static const Product chosen = choose();
  return chosen;
}

}  // namespace

void panel_product(const float* a, int64_t pitch, const float* b, int64_t depth, bool add, float* c, int64_t c_pitch) {
  product().apart(a, pitch, b, depth, add, c, c_pitch);
}

void panel_product_transposed(const float* a, int64_t pitch, const float* b, int64_t depth, bool add, float* c,
                              int64_t c_pitch) {
  product().adjacent(a, pitch, b, depth, add, c, c_pitch);
}

const char* panel_product_name() {
  return product().name;
}

}  // namespace ascore::kernels::cpu
