#include "kernels/step_values/step_values.hpp"

#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/step_values/functions.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::next_row) next_row;
decltype(kernels::fill_with) fill_with;
decltype(kernels::scale_with) scale_with;
}  // namespace simt
namespace cuda {
decltype(kernels::next_row) next_row;
decltype(kernels::fill_with) fill_with;
decltype(kernels::scale_with) scale_with;
}  // namespace cuda

namespace cpu {
void next_row(Stream&, StepScalars table, View position, View row) {
  double* const at = position.as<double>();
  const int64_t chosen = std::min(static_cast<int64_t>(*at), table.dim(0) - 1), width = row.count();
  std::copy_n(table.as<double>() + chosen * width, width, row.as<double>());
  *at += 1;
}

void fill_with(Stream& stream, StepScalars value, View y) {
  for_cpu_real_type(y.dtype(), [&]<class T>() {
    map_elements(stream, functions::ValueAt<T>{value.as<double>()}, y.count(), y.as<T>());
  });
}

void scale_with(Stream& stream, ConstView x, StepScalars factor, View y) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    map_elements(stream, functions::ScaleBy<T>{factor.as<double>()}, x.count(), y.as<T>(), x.as<T>());
  });
}
}  // namespace cpu

void next_row(Stream& stream, StepScalars table, View position, View row) {
  const OpScope op(stream, "next_row", {table, in_out(position), row});
  op.require(table.rank() == 2 && table.dim(0) >= 1 && table.dim(1) <= 32, "table must be [L,K], L >= 1, K <= 32");
  op.require(position.count() == 1 && row.count() == table.dim(1), "position must be [1], row [K]");
  op.require_dtype(table.dtype() == DType::f64 && position.dtype() == DType::f64 && row.dtype() == DType::f64,
                   "table, position and row must be f64");
  pick<cpu::next_row, simt::next_row, cuda::next_row>(stream)(stream, table, position, row);
}

void fill_with(Stream& stream, StepScalars value, View y) {
  const OpScope op(stream, "fill_with", {value, y});
  op.require(value.count() == 1, "value must be one element");
  op.require_dtype(value.dtype() == DType::f64, "value must be f64");
  pick<cpu::fill_with, simt::fill_with, cuda::fill_with>(stream)(stream, value, y);
}

void scale_with(Stream& stream, ConstView x, StepScalars factor, View y) {
  const OpScope op(stream, "scale_with", {x, factor, y});
  op.require(x.shape() == y.shape(), "x and y must have one shape");
  op.require(factor.count() == 1, "factor must be one element");
  op.require_dtype(x.dtype() == y.dtype() && factor.dtype() == DType::f64, "x and y have one dtype, factor is f64");
  pick<cpu::scale_with, simt::scale_with, cuda::scale_with>(stream)(stream, x, factor, y);
}

}  // namespace ascore::kernels
