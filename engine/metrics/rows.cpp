#include "engine/metrics/rows.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

int64_t count_rows(std::string_view what, std::span<const double> values, int64_t dimensions, int64_t least) {
  const auto size = static_cast<int64_t>(values.size());
  if (dimensions > 0 && size % dimensions == 0 && size / dimensions >= least) return size / dimensions;
  throw DataError(fmt::format("{}: {} values are no set of at least {} row{} of {}", what, size, least,
                              least == 1 ? "" : "s", dimensions));
}

}  // namespace ascore
