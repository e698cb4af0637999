#include "kernels/core/hopper_device.hpp"

#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace cpu {
static HopperDevice hopper_device(Stream&) {
  return {};
}
}  // namespace cpu
namespace simt {
static HopperDevice hopper_device(Stream& stream) {
  return stream.attached<EmulatedHopper>().device;
}
}  // namespace simt

HopperDevice hopper_device(Stream& stream) {
  return pick<cpu::hopper_device, simt::hopper_device, cuda::hopper_device>(stream)(stream);
}

}  // namespace ascore::kernels
