#pragma once

#include <cstdint>

/// The innermost product of our own f32 matrix products on the cpu: a tile of sums that stays in registers.
namespace ascore::kernels::cpu {

/// Rows and columns of a tile: 12 x 32 sums fill 24 of the 32 vector registers of AVX-512.
inline constexpr int kPanelRows = 12, kPanelColumns = 32;

/// c[r][j] = (add ? c[r][j] : 0) + sum over d < depth of a[r][d] b[d][j], for r < kPanelRows and j < kPanelColumns.
///
///   a   a[r][d] at a[r * pitch + d]; transposed: at a[d * pitch + r]
///   b   [depth][kPanelColumns], adjacent
///   c   c[r][j] at c[r * c_pitch + j]; no part of a or b
///
/// Summed by fused multiply-adds in the order of d on every processor (AVX-512, AVX2, else std::fma), so that the bits
/// are the same on all of them.
void panel_product(const float* a, int64_t pitch, const float* b, int64_t depth, bool add, float* c, int64_t c_pitch);
void panel_product_transposed(const float* a, int64_t pitch, const float* b, int64_t depth, bool add, float* c,
                              int64_t c_pitch);

/// The instructions that panel_product runs on: "avx512", "avx2" or "portable".
const char* panel_product_name();

}  // namespace ascore::kernels::cpu
