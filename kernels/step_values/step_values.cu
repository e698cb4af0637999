#include "kernels/core/kernel.hpp"
#include "kernels/core/map.hpp"
#include "kernels/step_values/functions.hpp"
#include "kernels/step_values/step_values.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

__global__ void next_row_kernel(const double* table, int64_t rows, int64_t width, double* position, double* row) {
  const int64_t wanted = static_cast<int64_t>(*position);
  const int64_t chosen = wanted < rows ? wanted : rows - 1;
  __syncwarp();  // all know the row before one of them moves on
  if (threadIdx.x < width) row[threadIdx.x] = table[chosen * width + threadIdx.x];
  if (threadIdx.x == 0) *position += 1;
}

}  // namespace

void next_row(Stream& stream, StepScalars table, View position, View row) {
  launch(next_row_kernel, 1, kWarpSize, 0, stream, table.as<double>(), table.dim(0), table.dim(1),
         position.as<double>(), row.as<double>());
}

void fill_with(Stream& stream, StepScalars value, View y) {
  map_elements(stream, functions::ValueAt<float>{value.as<double>()}, y.count(), y.as<float>());
}

void scale_with(Stream& stream, ConstView x, StepScalars factor, View y) {
  map_elements(stream, functions::ScaleBy<float>{factor.as<double>()}, x.count(), y.as<float>(), x.as<float>());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
