#pragma once

#include "kernels/core/backend.hpp"

#include <cstdint>

/// The instructions of sm_80 and later that products are made of: asynchronous copies into shared memory, fragment
/// loads and tensor-core products. Under nvcc they are PTX, on simt an emulation of what the PTX ISA documents
/// (chapters cp.async, ldmatrix, mma). This header says what they do; the two bodies lie in tensor_core_ptx.hpp and
/// kernels/simt/tensor_core.hpp. All lanes of a warp call the warp-wide ones (ldmatrix, mma) together.
///
/// Fragments, with g = lane / 4 and t = lane % 4:
///
///   ldmatrix x N         lanes 8i..8i+7 give the addresses of the 8 rows (16 bytes each) of matrix i; register i of a
///                        lane gets row g, elements 2t and 2t+1 (32-bit data: row g, element t); transposed: rows 2t
///                        and 2t+1 of column g
///   mma bf16 m16n8k16    a = (g, 2t..), (g+8, 2t..), (g, 2t+8..), (g+8, 2t+8..), pairs of k; b = (k 2t.., n g),
///                        (k 2t+8.., n g)
///   mma tf32 m16n8k8     a = (g, t), (g+8, t), (g, t+4), (g+8, t+4); b = (k t, n g), (k t+4, n g)
///   c of both            (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1), f32
namespace ascore::kernels::ASCORE_BACKEND {

/// Starts a copy of Bytes (4, 8 or 16) from global to shared memory, both aligned to Bytes; only the first `valid`
/// bytes are read, the rest becomes zero. The data may be read after cp_async_wait (by this thread; by others after a
/// barrier as well). On simt they arrive then and not before; until then there is NaN.
template <int Bytes>
__device__ __forceinline__ void cp_async(void* shared, const void* global, int valid);

/// Closes the group of the copies that this thread has started since the last one.
__device__ __forceinline__ void cp_async_commit();

/// Waits until at most `Groups` of this thread's latest groups are still under way.
template <int Groups>
__device__ __forceinline__ void cp_async_wait();

/// Loads Count (1, 2 or 4) matrices of 8 rows of 16 bytes from shared memory; `row` is this lane's row (only the first
/// 8 Count lanes' matter, but every lane's must be a valid address).
template <int Count, bool Transposed = false>
__device__ __forceinline__ void ldmatrix(uint32_t (&registers)[Count], const void* row);

/// c[i][j] += a[i] b[j] for all i and j: Rows x Columns products m16n8k16 of bf16, summed in f32.
template <int Rows, int Columns>
__device__ __forceinline__ void mma_bf16(float (&c)[Rows][Columns][4], const uint32_t (&a)[Rows][4],
                                         const uint32_t (&b)[Columns][2]);

/// The same with products m16n8k8 of tf32: of every f32 operand the sign, the exponent and 10 bits of mantissa are
/// read, the others ignored.
template <int Rows, int Columns>
__device__ __forceinline__ void mma_tf32(float (&c)[Rows][Columns][4], const uint32_t (&a)[Rows][4],
                                         const uint32_t (&b)[Columns][2]);

/// f32 rounded to tf32, to nearest, ties away from zero: the other mantissa bits are zero.
__device__ __forceinline__ uint32_t to_tf32(float value);

}  // namespace ascore::kernels::ASCORE_BACKEND

#ifdef __CUDACC__
#include "kernels/core/tensor_core_ptx.hpp"
#else
#include "kernels/simt/tensor_core.hpp"
#endif
