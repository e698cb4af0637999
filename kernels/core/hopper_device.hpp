#pragma once

#include "kernels/core/stream.hpp"

namespace ascore::kernels {

/// What kernels for Hopper (sm_90a) ask of the device of a stream.
struct HopperDevice {
  bool present = false;     ///< it runs code for sm_90a, and the program has some
  int multiprocessors = 0;  ///< blocks that run at a time, at one per multiprocessor
};
HopperDevice hopper_device(Stream& stream);

/// The emulated device is a Hopper if its stream is told so:
///
///   stream.attached<EmulatedHopper>().device.present = true;
struct EmulatedHopper {
  HopperDevice device{false, 3};  ///< three blocks walk over the tiles of a product, so that most take several
};

namespace cuda {
HopperDevice hopper_device(Stream& stream);
}

}  // namespace ascore::kernels
