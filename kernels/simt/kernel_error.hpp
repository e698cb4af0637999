#pragma once

#include "kernels/core/error.hpp"

namespace ascore {

/// A kernel broke a rule that a real GPU would not report: a barrier that part of the block missed, a red zone written.
class KernelError : public Error {
  using Error::Error;
};

}  // namespace ascore
