#include "kernels/core/cuda_check.hpp"
#include "kernels/core/cuda_tensor_map.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/hopper_device.hpp"

#include <cudaTypedefs.h>
#include <optional>

#include <fmt/core.h>

/// What Hopper's kernels ask of the driver. Its entry points are looked up at run time: the program does not link the
/// driver's library, and starts where there is none.
namespace ascore::kernels::cuda {

namespace {

template <class Function>
Function driver_function(const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  check(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result),
        "cudaGetDriverEntryPointByVersion");
  if (result != cudaDriverEntryPointSuccess) {
    throw DeviceError(fmt::format("the CUDA driver has no {}: update it to one of CUDA 12 or later", name));
  }
  return reinterpret_cast<Function>(found);
}

void require_success(CUresult result, const char* function) {
  if (result != CUDA_SUCCESS) throw DeviceError(fmt::format("{} failed: CUDA driver error {}", function, int(result)));
}

constexpr auto kType = CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
constexpr auto kPlain = CU_TENSOR_MAP_INTERLEAVE_NONE;
constexpr auto kSwizzle = CU_TENSOR_MAP_SWIZZLE_128B;
constexpr auto kPromotion = CU_TENSOR_MAP_L2_PROMOTION_L2_256B;
constexpr auto kZeros = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
constexpr cuuint64_t kBytes = 2;  // of an element

#ifdef ASCORE_HAS_SM90A
constexpr bool kBuiltForSm90a = true;
#else
constexpr bool kBuiltForSm90a = false;
#endif

struct AttachedDevice {
  std::optional<HopperDevice> known;
};

}  // namespace

TensorMap make_tensor_map(const TiledBox& box) {
  static const auto encode = driver_function<PFN_cuTensorMapEncodeTiled_v12000>("cuTensorMapEncodeTiled");
  cuuint64_t sizes[3];
  cuuint32_t extents[3];
  for (int i = 0; i < 3; ++i) {
    sizes[i] = static_cast<cuuint64_t>(box.sizes[i]);
    extents[i] = static_cast<cuuint32_t>(box.box[i]);
  }
  const cuuint64_t pitches[2] = {sizes[0] * kBytes, sizes[0] * sizes[1] * kBytes};
  const cuuint32_t steps[3] = {1, 1, 1};
  TensorMap map;
  require_success(encode(&map, kType, 3, const_cast<void*>(box.memory), sizes, pitches, extents, steps, kPlain,
                         kSwizzle, kPromotion, kZeros),
                  "cuTensorMapEncodeTiled");
  return map;
}

TensorMap make_tensor_map(const PixelBox& box) {
  static const auto encode = driver_function<PFN_cuTensorMapEncodeIm2col_v12000>("cuTensorMapEncodeIm2col");
  const cuuint64_t sizes[4] = {static_cast<cuuint64_t>(box.channels), static_cast<cuuint64_t>(box.width),
                               static_cast<cuuint64_t>(box.height), static_cast<cuuint64_t>(box.images)};
  const cuuint64_t pitches[3] = {sizes[0] * kBytes, sizes[0] * sizes[1] * kBytes,
                                 sizes[0] * sizes[1] * sizes[2] * kBytes};
  const int lower[2] = {box.lower.w, box.lower.h}, upper[2] = {box.upper.w, box.upper.h};
  const auto stride = static_cast<cuuint32_t>(box.stride);
  const cuuint32_t steps[4] = {1, stride, stride, 1};
  TensorMap map;
  require_success(encode(&map, kType, 4, const_cast<void*>(box.memory), sizes, pitches, lower, upper,
                         static_cast<cuuint32_t>(box.box_channels), static_cast<cuuint32_t>(box.box_pixels), steps,
                         kPlain, kSwizzle, kPromotion, kZeros),
                  "cuTensorMapEncodeIm2col");
  return map;
}

HopperDevice hopper_device(Stream& stream) {
  std::optional<HopperDevice>& known = stream.attached<AttachedDevice>().known;
  if (!known) {
    int device = 0, major = 0, multiprocessors = 0;
    check(cudaGetDevice(&device), "cudaGetDevice", stream);
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute", stream);
    check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute",
          stream);
    known = HopperDevice{kBuiltForSm90a && major == 9, multiprocessors};  // code for sm_90a runs on no other
  }
  return *known;
}

}  // namespace ascore::kernels::cuda
