#include "kernels/conv2d/conv2d_cpu.hpp"

/// A build without oneDNN: what does not fit winograd.hpp is computed by products of gathered pixels
/// (conv2d_gather.cpp).
namespace ascore::kernels::cpu {

bool library_conv2d(Stream&, const Conv2dShape&, ConstView, ConstView, ConstView, const Finish&, View) {
  return false;
}
bool library_window_conv2d(Stream&, const PixelGather&, ConstView, ConstView, ConstView, const Finish&, View) {
  return false;
}
bool library_conv2d_dgrad(Stream&, const Conv2dShape&, ConstView, ConstView, const Finish&, View) {
  return false;
}
bool library_conv2d_wgrad(Stream&, const Conv2dShape&, ConstView, ConstView, View) {
  return false;
}
bool library_multiplies_bf16(Stream&) {
  return false;
}
std::string library_conv2d_name(Stream&, Conv2dPass, const Conv2dShape&, DType) {
  return {};
}

}  // namespace ascore::kernels::cpu
