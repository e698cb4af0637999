#include "samplers/score.hpp"

#include "kernels/core/error.hpp"

namespace ascore {

double NoiseLevel::on_host() const {
  if (replayed()) {
    throw Error(
        "this score function asks for the noise level on the host, where a captured sampling step has none; read it "
        "from device memory (NoiseLevel::sigma), or sample without graphs");
  }
  return value_;
}

}  // namespace ascore
