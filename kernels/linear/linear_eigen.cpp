#include "kernels/linear/linear_cpu.hpp"

/// A build without oneDNN: linear.cpp computes everything by Eigen's products.
namespace ascore::kernels::cpu {

bool library_linear(Stream&, ConstView, ConstView, ConstView, View) {
  return false;
}
bool library_linear_dgrad(Stream&, ConstView, ConstView, View) {
  return false;
}
bool library_linear_wgrad(Stream&, ConstView, ConstView, View) {
  return false;
}

}  // namespace ascore::kernels::cpu
