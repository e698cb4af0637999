#include "kernels/core/kernel.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/simt/kernel_error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;
using namespace ascore::kernels::simt;

namespace {

struct First;
struct Second;

/// What shared memory holds when a block starts; it is written afterwards, so that the next block has something to see.
__global__ void read_before_write_kernel(int* nans) {
  float* fixed = shared_array<float, 32, First>();
  float* other = shared_array<float, 32, Second>();
  float* dynamic = dynamic_shared<float>();
  int count = std::isnan(fixed[threadIdx.x]) + std::isnan(other[threadIdx.x]) + std::isnan(dynamic[threadIdx.x]);
  nans[blockIdx.x * 32 + threadIdx.x] = count;
  __syncthreads();
  fixed[threadIdx.x] = other[threadIdx.x] = dynamic[threadIdx.x] = 1;
}

/// Two arrays of one type and size are told apart by their tags; all threads see the same ones.
__global__ void tagged_kernel(int* out) {
  int* a = shared_array<int, 32, First>();
  int* b = shared_array<int, 32, Second>();
  a[threadIdx.x] = static_cast<int>(threadIdx.x);
  b[threadIdx.x] = -static_cast<int>(threadIdx.x);
  __syncthreads();
  const unsigned other = 31 - threadIdx.x;
  out[threadIdx.x] = 100 * a[other] + b[other];
}

__global__ void static_overflow_kernel(int index) {
  volatile float* tile = shared_array<float, 16>();
  tile[index] = 1;
}
__global__ void between_kernel(int index) {
  volatile float* tile = shared_array<float, 16, First>();
  shared_array<float, 16, Second>();
  tile[index] = 1;
}
__global__ void dynamic_overflow_kernel(int index) {
  volatile float* tile = dynamic_shared<float>();
  tile[index] = 1;
}

__global__ void full_kernel() {
  shared_array<float, 4096>()[threadIdx.x] = 1;
  shared_array<double, 4096>()[threadIdx.x] = 1;
}
__global__ void overfull_kernel() {
  shared_array<float, 4096>();
  shared_array<double, 4096>();
  shared_array<char, 1>();
}

}  // namespace

TEST_CASE("shared memory is poisoned when a block starts") {
  Stream stream(Device::simt);
  std::vector<int> nans(3 * 32, 0);
  launch(read_before_write_kernel, 3, 32, 32 * sizeof(float), stream, nans.data());
  CHECK(nans == std::vector<int>(3 * 32, 3));
}

TEST_CASE("shared arrays are the block's own and distinct by tag") {
  Stream stream(Device::simt, {.schedule = 5});
  std::vector<int> out(32);
  launch(tagged_kernel, 1, 32, 0, stream, out.data());
  for (int i = 0; i < 32; ++i) CHECK(out[static_cast<size_t>(i)] == 99 * (31 - i));
}

TEST_CASE("writes outside a shared array are reported") {
  Stream stream(Device::simt);
  const OpScope op(stream, "trespass", {});
  CHECK_NOTHROW(launch(static_overflow_kernel, 1, 1, 0, stream, 15));
  CHECK_THROWS_AS(launch(static_overflow_kernel, 1, 1, 0, stream, 16), KernelError);
  CHECK_THROWS_WITH(launch(static_overflow_kernel, 1, 1, 0, stream, 16),
                    Catch::Contains("trespass") && Catch::Contains("after array 0"));
  CHECK_THROWS_WITH(launch(static_overflow_kernel, 1, 1, 0, stream, -1), Catch::Contains("before array 0"));
  CHECK_THROWS_WITH(launch(between_kernel, 1, 1, 0, stream, 17), Catch::Contains("before array 1"));
  CHECK_NOTHROW(launch(dynamic_overflow_kernel, 1, 1, 64, stream, 15));
  CHECK_THROWS_WITH(launch(dynamic_overflow_kernel, 1, 1, 64, stream, 16), Catch::Contains("dynamic shared memory"));
  CHECK_THROWS_WITH(launch(dynamic_overflow_kernel, 1, 1, 64, stream, -1), Catch::Contains("dynamic shared memory"));
}

TEST_CASE("static shared memory ends at 48 KiB") {
  Stream stream(Device::simt);
  CHECK_NOTHROW(launch(full_kernel, 1, 32, 0, stream));
  CHECK_THROWS_AS(launch(overfull_kernel, 1, 32, 0, stream), KernelError);
  CHECK_THROWS_WITH(launch(overfull_kernel, 1, 32, 0, stream), Catch::Contains("49152 is the limit"));
}
