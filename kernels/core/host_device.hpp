#pragma once

/// Marks a function that runs on the host and in CUDA kernels. Such a function works on values only (no pointers into
/// device memory) and has one body for every backend, so that it may live outside the per-backend namespaces.
#ifdef __CUDACC__
#define ASCORE_HOST_DEVICE __host__ __device__
#else
#define ASCORE_HOST_DEVICE
#endif
