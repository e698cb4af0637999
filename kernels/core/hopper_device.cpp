#include "kernels/core/hopper_device.hpp"

#include "kernels/core/dry_run.hpp"

namespace ascore::kernels {

namespace {
/// What a prediction for a GPU reckons with: an H100, whose kernels take the larger workspaces.
constexpr HopperDevice kPredicted{true, 132};
}  // namespace

HopperDevice hopper_device(Stream& stream) {
  if (stream.device() == Device::simt) return stream.attached<EmulatedHopper>().device;
  if (stream.device() == Device::cpu) return {};
  if (is_dry(stream)) return kPredicted;
  if constexpr (kCudaBuilt) return cuda::hopper_device(stream);
  return {};
}

}  // namespace ascore::kernels
