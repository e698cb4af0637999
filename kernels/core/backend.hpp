#pragma once

/// Included by .cu files only. Names the backend that a .cu file is being compiled for: `cuda` under nvcc, `simt` under
/// the host compiler. Everything whose body differs between the two lives in ascore::kernels::ASCORE_BACKEND: with one
/// name for two bodies, a program that links both would run whichever object came first.
#ifdef __CUDACC__
#define ASCORE_BACKEND cuda
#include <cuda_runtime.h>
#else
#define ASCORE_BACKEND simt
#include "kernels/simt/device.hpp"
#endif
