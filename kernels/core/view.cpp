#include "kernels/core/view.hpp"

#include "kernels/core/error.hpp"

#include <fmt/core.h>

namespace ascore {

void ConstView::check_dtype(DType wanted) const {
  if (present_ && dtype_ != wanted) {
    throw DTypeError(fmt::format("view of {}{} read as {}", name(dtype_), to_string(shape_), name(wanted)));
  }
}

}  // namespace ascore
