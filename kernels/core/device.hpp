#pragma once

#include <cstdint>

namespace ascore {

/// Where memory lies and operations run. `simt` is the emulated CUDA device: its memory is host memory.
enum class Device : uint8_t { cpu, simt, cuda };

constexpr const char* name(Device device) {
  switch (device) {
    case Device::cpu:
      return "cpu";
    case Device::simt:
      return "simt";
    case Device::cuda:
      return "cuda";
  }
  return "?";
}

/// What this build contains: known at configure time, so that an absent backend needs no object file.
#ifdef ASCORE_HAS_CUDA
inline constexpr bool kCudaBuilt = true;
#else
inline constexpr bool kCudaBuilt = false;
#endif
#ifdef ASCORE_HAS_SIMT
inline constexpr bool kSimtBuilt = true;
#else
inline constexpr bool kSimtBuilt = false;
#endif
/// True if the emulated device sees every load and store of its kernels (cmake option ASCORE_SIMT_CHECKS).
#ifdef ASCORE_HAS_SIMT_CHECKS
inline constexpr bool kSimtChecksBuilt = true;
#else
inline constexpr bool kSimtChecksBuilt = false;
#endif

/// True where the backend is built in and, for cuda, at least one usable GPU is present.
bool is_available(Device device);

/// Why `device` cannot be used, in one sentence; empty if it can.
const char* unavailable_reason(Device device);

}  // namespace ascore
