#pragma once

#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Cuts a workspace (u8) into typed parts, one behind the other. The caller has checked that it is large enough, and
/// takes wider types first.
class Workspace {
 public:
  explicit Workspace(const View& bytes) : next_(bytes.as<uint8_t>()), device_(bytes.device()) {}

  View take(const Shape& shape, DType dtype) {
    const View part(next_, shape, dtype, device_);
    next_ += part.bytes();
    return part;
  }

 private:
  uint8_t* next_;
  Device device_;
};

}  // namespace ascore::kernels
