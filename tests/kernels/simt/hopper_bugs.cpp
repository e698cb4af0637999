#include "tests/kernels/simt/hopper_bugs.hpp"

#include "kernels/core/hopper.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::test {

namespace {

using namespace kernels;
using namespace kernels::simt;

enum class Bug {
  none,
  stored_operand,  ///< none: b is copied to its place by ordinary loads and stores
  no_init,
  no_init_fence,
  no_init_barrier,
  two_inits,
  too_many_arrivals,
  too_many_bytes,
  too_few_bytes,
  operand_not_waited_for,
  read_not_waited_for,
  read_under_way,
  write_under_way,
  copy_twice,
  copy_over_product,
  no_proxy_fence,
  store_over_product,
  operand_not_written,
  no_wgmma_fence,
  fence_too_early,
  sums_too_early,
  product_left,
  copy_left,
  unlike_operands,
  part_of_warpgroup,
  misaligned_copy,
  misaligned_operand,
  outside,
};

constexpr int kDepth = 64, kRows = 64, kColumns = 128, kBytesA = kRows * kDepth * 2, kBytesB = kColumns * kDepth * 2;

template <Bug bug>
__global__ void product_kernel(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map,
                               float* out) {
  const auto address = reinterpret_cast<uintptr_t>(dynamic_shared<uint32_t>());
  auto* const a = reinterpret_cast<unsigned char*>((address + 1023) / 1024 * 1024);
  unsigned char *const b = a + kBytesA, *const other = b + kBytesB;
  auto* const full = reinterpret_cast<uint64_t*>(other + kBytesB);
  const unsigned thread = threadIdx.x;
  constexpr unsigned kBytes = kBytesA + kBytesB;
  constexpr bool kStored = bug == Bug::stored_operand || bug == Bug::no_proxy_fence;
  if (thread == 0 || (bug == Bug::two_inits && thread == 1)) {
    if (bug != Bug::no_init) mbarrier_init(full, bug == Bug::too_many_arrivals ? 2 : 1);
    if (bug != Bug::no_init_fence) fence_mbarrier_init();
  }
  if (bug != Bug::no_init_barrier) __syncthreads();
  if (thread == (bug == Bug::no_init_barrier ? 1 : 0)) {
    mbarrier_arrive_expect(full, bug == Bug::too_many_bytes  ? kBytes + 16
                                 : bug == Bug::too_few_bytes ? kBytes - 16
                                                             : kBytes);
    bulk_load(a + (bug == Bug::misaligned_copy ? 64 : 0), &a_map, full, 0, 0, 0);
    bulk_load(kStored ? other : b + (bug == Bug::outside ? 3 * kBytesB : 0), &b_map, full, 0, 0, 0);
    if (bug == Bug::copy_twice) bulk_load(b, &b_map, full, 0, 0, 0);
  }
  if (bug == Bug::copy_left) return;
  auto* const words = reinterpret_cast<uint32_t*>(b);
  if (bug == Bug::write_under_way && thread == 0) words[7] = 0;
  if (bug == Bug::read_under_way && thread == 0) out[0] = static_cast<float>(words[7]);
  const bool waits = bug != Bug::operand_not_waited_for || thread != 77;
  if (waits && (bug != Bug::read_not_waited_for || thread != 5)) mbarrier_wait(full, 0);
  if (bug == Bug::read_not_waited_for || bug == Bug::operand_not_waited_for) __syncthreads();
  if (bug == Bug::read_not_waited_for) out[thread] = static_cast<float>(words[thread]);
  if (kStored) {
    for (unsigned i = thread; i < kBytesB / 4; i += 128) words[i] = reinterpret_cast<uint32_t*>(other)[i];
    if (bug != Bug::no_proxy_fence) fence_proxy_async();
    __syncthreads();
  }
  float sums[kColumns / 2] = {};
  if (bug != Bug::no_wgmma_fence) wgmma_fence();
  if (bug == Bug::fence_too_early) wgmma_wait<0>();
  const bool stray = bug == Bug::unlike_operands && thread == 9;
  const uint64_t a_operand = shared_operand(a), b_operand = shared_operand(bug == Bug::operand_not_written ? other : b);
  if (bug == Bug::part_of_warpgroup && thread == 64) return;
  for (unsigned step = 0; step < kDepth / 16; ++step) {
    wgmma<false, false>(sums, operand_at(a_operand, step * kStepBytes + (stray ? 16 : 0)),
                        operand_at(b_operand, step * kStepBytes) | (bug == Bug::misaligned_operand ? 1ull << 49 : 0));
  }
  wgmma_commit();
  if (bug == Bug::store_over_product) words[thread] = 0;
  if (bug == Bug::copy_over_product && thread == 0) bulk_load(b, &b_map, full, 0, 0, 0);
  if (bug == Bug::product_left) return;
  if (bug != Bug::sums_too_early) wgmma_wait<0>();
  wgmma_settle(sums);
  for (int r = 0; r < kColumns / 2; ++r) {
    const unsigned row = thread / 32 * 16 + thread % 32 / 4 + r / 2 % 2 * 8,
                   column = r / 4 * 8 + thread % 4 * 2 + r % 2;
    out[row * kColumns + column] = sums[r];
  }
  if (bug == Bug::sums_too_early) wgmma_wait<0>();
}

template <Bug bug>
std::vector<float> run(Stream& stream, const std::vector<uint16_t>& a, const std::vector<uint16_t>& b) {
  std::vector<float> out(kRows * kColumns);
  const TensorMap a_map = make_tensor_map(TiledBox{a.data(), {kDepth, 1, kRows}, {kDepth, 1, kRows}});
  const TensorMap b_map = make_tensor_map(TiledBox{b.data(), {kDepth, 1, kColumns}, {kDepth, 1, kColumns}});
  launch(product_kernel<bug>, 1, 128, 1024 + kBytesA + 2 * kBytesB + 8, stream, a_map, b_map, out.data());
  return out;
}

constexpr HopperBug kBugs[] = {
    {"none", run<Bug::none>, nullptr},
    {"stored operand", run<Bug::stored_operand>, nullptr},
    {"no mbarrier_init", run<Bug::no_init>, "uses an mbarrier that nobody has made"},
    {"no fence_mbarrier_init", run<Bug::no_init_fence>, "whose maker has not called fence_mbarrier_init"},
    {"no barrier after init", run<Bug::no_init_barrier>, "uses an mbarrier that"},
    {"two makers", run<Bug::two_inits>, "makes an mbarrier that another thread has made, with no barrier between"},
    {"an arrival too few", run<Bug::too_many_arrivals>,
     "waits for parity 0 of an mbarrier: 1 of 2 arrivals and 0 bytes are missing in its phase 0; no thread of the "
     "block "
     "can go on"},
    {"expects too much", run<Bug::too_many_bytes>, "0 of 1 arrivals and 16 bytes are missing"},
    {"expects too little", run<Bug::too_few_bytes>, "0 of 1 arrivals and -16 bytes are missing"},
    {"wgmma before the wait", run<Bug::operand_not_waited_for>,
     "thread (77,0,0) starts a wgmma whose operand a bulk copy wrote, and has not waited"},
    {"read before the wait", run<Bug::read_not_waited_for>,
     "thread (5,0,0) reads what a bulk copy has written, and has not waited"},
    {"read while a copy writes", run<Bug::read_under_way>, "reads shared memory that a bulk copy under way writes"},
    {"write while a copy writes", run<Bug::write_under_way>, "writes shared memory that a bulk copy under way writes"},
    {"two copies", run<Bug::copy_twice>, "starts a bulk copy into memory that another one under way writes"},
    {"copy over operands", run<Bug::copy_over_product>, "starts a bulk copy into memory that a wgmma under way reads"},
    {"store over operands", run<Bug::store_over_product>, "writes shared memory that a wgmma under way reads"},
    {"no fence_proxy_async", run<Bug::no_proxy_fence>, "written by a store without fence_proxy_async after it"},
    {"operand not written", run<Bug::operand_not_written>, "whose operand the block has not written: uninitialised"},
    {"no wgmma_fence", run<Bug::no_wgmma_fence>, "starts a wgmma without a wgmma_fence"},
    {"wgmma_fence too early", run<Bug::fence_too_early>, "starts a wgmma without a wgmma_fence"},
    {"wgmma left", run<Bug::product_left>, "leaves a wgmma under way when the block ends"},
    {"copy left", run<Bug::copy_left>, "leaves a bulk copy under way when the block ends"},
    {"unlike operands", run<Bug::unlike_operands>,
     "thread (9,0,0) gives wgmma other operands than the rest of its warpgroup"},
    {"part of a warpgroup", run<Bug::part_of_warpgroup>, "divergent warp collective"},
    {"misaligned copy", run<Bug::misaligned_copy>, "to memory that is not aligned to 128 bytes"},
    {"swizzle off its place", run<Bug::misaligned_operand>, "whose swizzle begins off 1024 bytes"},
    {"copy outside", run<Bug::outside>, "names shared memory outside the block's dynamic shared memory"},
    {"sums read too early", run<Bug::sums_too_early>, "NaN"},
};

}  // namespace

std::span<const HopperBug> hopper_bugs() {
  return kBugs;
}

}  // namespace ascore::test
