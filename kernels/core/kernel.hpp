#pragma once

/// What a .cu file includes: backend, launch door, shared memory, reductions, dtype dispatch. Nothing in here includes
/// fmt, spdlog or another library that nvcc cannot read in C++20.
#include "kernels/core/backend.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/dtype.hpp"
#include "kernels/core/launch.hpp"
#include "kernels/core/reduce.hpp"
#include "kernels/core/shared_memory.hpp"
#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"
