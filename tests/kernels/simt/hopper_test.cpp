#include "kernels/core/hopper.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/kernel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <bit>
#include <cstring>
#include <numeric>

/// Layouts of Hopper's instructions on the emulated device, against formulas written from the PTX ISA: chapters
/// "Tensors" (tiled and im2col mode, swizzling) and "Asynchronous warpgroup level matrix instructions".
using namespace ascore;
using namespace ascore::kernels;
using namespace ascore::kernels::simt;

namespace {

/// Shared memory that the kernels below cut: 1024-byte aligned, then an mbarrier.
template <class Element>
Element* tile_memory() {
  const auto address = reinterpret_cast<uintptr_t>(dynamic_shared<uint16_t>());
  return reinterpret_cast<Element*>((address + 1023) / 1024 * 1024);
}

// ---- bulk copies --------------------------------------------------------------------------------------------

struct CopyPlace {
  bool pixels;
  int at[4], offset[2];  ///< x, y, z; or channel, w, h, n and offsets of w, h
};

/// out: the copy's bytes as they lie in shared memory.
__global__ void copy_kernel(TensorMap map, CopyPlace place, int elements, uint16_t* out) {
  uint16_t* const tile = tile_memory<uint16_t>();
  auto* const barrier = reinterpret_cast<uint64_t*>(tile + elements);
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect(barrier, static_cast<unsigned>(elements) * 2);
    const auto& at = place.at;
    if (place.pixels)
      bulk_load_pixels(tile, &map, barrier, at[0], at[1], at[2], at[3], place.offset[0], place.offset[1]);
    else
      bulk_load(tile, &map, barrier, at[0], at[1], at[2]);
  }
  __syncthreads();
  mbarrier_wait(barrier, 0);
  for (int i = static_cast<int>(threadIdx.x); i < elements; i += 32) out[i] = tile[i];
}

std::vector<uint16_t> copied(const TensorMap& map, const CopyPlace& place, int elements, uint64_t schedule) {
  Stream stream(Device::simt, {.schedule = schedule});
  std::vector<uint16_t> out(static_cast<size_t>(elements));
  launch(copy_kernel, 1, 32, 1024 + static_cast<size_t>(elements) * 2 + 8, stream, map, place, elements, out.data());
  return out;
}

/// Element `e` of row `row` of a box whose rows have `row_elements`: 16-byte chunk c of 128-byte line l lies at c ^
/// l%8.
size_t swizzled(int row, int e, int row_elements) {
  const int byte = (row * row_elements + e) * 2, line = byte / 128, chunk = byte % 128 / 16;
  return static_cast<size_t>((line * 128 + (chunk ^ line % 8) * 16 + byte % 16) / 2);
}

std::vector<uint16_t> counted(int64_t count) {
  std::vector<uint16_t> memory(static_cast<size_t>(count));
  std::iota(memory.begin(), memory.end(), uint16_t(1));
  return memory;
}

void check_tiled(const int64_t (&sizes)[3], const int (&box)[3], const int (&start)[3]) {
  const auto memory = counted(sizes[0] * sizes[1] * sizes[2]);
  const TensorMap map =
      make_tensor_map(TiledBox{memory.data(), {sizes[0], sizes[1], sizes[2]}, {box[0], box[1], box[2]}});
  const int elements = box[0] * box[1] * box[2];
  for (uint64_t schedule : {0, 1}) {
    const auto out = copied(map, {false, {start[0], start[1], start[2], 0}, {}}, elements, schedule);
    for (int z = 0; z < box[2]; ++z) {
      for (int y = 0; y < box[1]; ++y) {
        for (int x = 0; x < box[0]; ++x) {
          const int64_t sx = start[0] + x, sy = start[1] + y, sz = start[2] + z;
          const bool inside = sx >= 0 && sx < sizes[0] && sy >= 0 && sy < sizes[1] && sz >= 0 && sz < sizes[2];
          const uint16_t expected = inside ? memory[static_cast<size_t>((sz * sizes[1] + sy) * sizes[0] + sx)] : 0;
          CAPTURE(x, y, z, schedule);
          REQUIRE(out[swizzled(z * box[1] + y, x, box[0])] == expected);
        }
      }
    }
  }
}

struct PixelCase {
  PixelBox box;        ///< memory is filled in
  int channel, first;  ///< of the copy: channel, and index of its first base pixel
  int offset_w, offset_h;
};

void check_pixels(PixelCase c) {
  const PixelBox& b = c.box;
  const auto memory = counted(int64_t(b.images) * b.height * b.width * b.channels);
  c.box.memory = memory.data();
  const TensorMap map = make_tensor_map(c.box);
  // Base pixels along one direction: lower, lower + stride, ... up to size - 1 + upper.
  const auto bases = [&](int size, int lower, int upper) { return (size - 1 + upper - lower) / b.stride + 1; };
  const int across = bases(b.width, b.lower.w, b.upper.w), down = bases(b.height, b.lower.h, b.upper.h);
  const auto base_w = [&](int q) { return b.lower.w + q % across * b.stride; };
  const auto base_h = [&](int q) { return b.lower.h + q / across % down * b.stride; };
  const CopyPlace place{
      true, {c.channel, base_w(c.first), base_h(c.first), c.first / (across * down)}, {c.offset_w, c.offset_h}};
  const int elements = b.box_channels * b.box_pixels;
  const auto out = copied(map, place, elements, 0);
  for (int p = 0; p < b.box_pixels; ++p) {
    const int q = c.first + p, n = q / (across * down), h = base_h(q) + c.offset_h, w = base_w(q) + c.offset_w;
    for (int e = 0; e < b.box_channels; ++e) {
      const bool inside = n < b.images && h >= 0 && h < b.height && w >= 0 && w < b.width && c.channel + e < b.channels;
      const int64_t index = ((int64_t(n) * b.height + h) * b.width + w) * b.channels + c.channel + e;
      CAPTURE(p, e, n, h, w);
      REQUIRE(out[swizzled(p, e, b.box_channels)] == (inside ? memory[static_cast<size_t>(index)] : 0));
    }
  }
}

// ---- wgmma --------------------------------------------------------------------------------------------------

/// Where element (row, k) of an operand [rows][64] lies, in elements: the canonical layouts of the PTX ISA for a
/// swizzle of 128 bytes, K-major ((8,m),(8,8)):((64,SBO),(1,8)) and MN-major ((8,8,m),(8,k)):((1,8,LBO),(64,SBO)), of T
/// = 8 elements, with SBO = 1024 bytes and LBO = 8192 bytes.
size_t operand_place(bool turned, int row, int k) {
  const int plain = turned ? row / 64 * 4096 + k / 8 * 512 + k % 8 * 64 + row % 64 : row / 8 * 512 + row % 8 * 64 + k;
  const int line = plain / 64;
  return static_cast<size_t>(plain ^ line % 8 * 8);
}

/// out [rows of threads][registers]: two products in two groups, the first waited for before the second runs.
template <bool TurnedA, bool TurnedB, int Columns>
__global__ void wgmma_kernel(const uint16_t* a, const uint16_t* b, float* out) {
  constexpr int kCountA = 64 * 64, kCountB = Columns * 64;
  uint16_t *const tile_a = tile_memory<uint16_t>(), *const tile_b = tile_a + kCountA;
  for (int i = static_cast<int>(threadIdx.x); i < kCountA; i += 128) tile_a[i] = a[i];
  for (int i = static_cast<int>(threadIdx.x); i < kCountB; i += 128) tile_b[i] = b[i];
  fence_proxy_async();
  __syncthreads();
  float sums[Columns / 2];
  for (float& sum : sums) sum = 1;
  const uint64_t operand_a = shared_operand(tile_a), operand_b = shared_operand(tile_b, 8192);
  for (unsigned group = 0; group < 2; ++group) {
    wgmma_fence();
    for (unsigned step = 2 * group; step < 2 * group + 2; ++step) {
      wgmma<TurnedA, TurnedB>(sums, operand_at(operand_a, step * (TurnedA ? kTurnedStepBytes : kStepBytes)),
                              operand_at(operand_b, step * (TurnedB ? kTurnedStepBytes : kStepBytes)));
    }
    wgmma_commit();
    wgmma_wait<1>();
  }
  wgmma_wait<0>();
  wgmma_settle(sums);
  for (int r = 0; r < Columns / 2; ++r) out[static_cast<int>(threadIdx.x) * (Columns / 2) + r] = sums[r];
}

template <bool TurnedA, bool TurnedB, int Columns>
void check_wgmma() {
  const auto bits = [](double v) {
    return static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(v)) >> 16);
  };
  const auto value = [](uint16_t b) {
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(b) << 16));
  };
  std::vector<uint16_t> a(64 * 64), b(Columns * 64), tile_a(a.size()), tile_b(b.size());
  const auto as = test::normals(a.size(), 1), bs = test::normals(b.size(), 2);
  std::transform(as.begin(), as.end(), a.begin(), bits);
  std::transform(bs.begin(), bs.end(), b.begin(), bits);
  for (int row = 0; row < 64; ++row) {
    for (int k = 0; k < 64; ++k) tile_a[operand_place(TurnedA, row, k)] = a[static_cast<size_t>(row * 64 + k)];
  }
  for (int row = 0; row < Columns; ++row) {
    for (int k = 0; k < 64; ++k) tile_b[operand_place(TurnedB, row, k)] = b[static_cast<size_t>(row * 64 + k)];
  }
  // This file's own stores are not watched: to the checks nobody has written the operands.
  Stream stream(Device::simt, {.schedule = 3, .checks = {.initialised = false}});
  std::vector<float> out(128 * Columns / 2);
  launch(wgmma_kernel<TurnedA, TurnedB, Columns>, 1, 128, 1024 + (64 + Columns) * 128, stream, tile_a.data(),
         tile_b.data(), out.data());
  for (int thread = 0; thread < 128; ++thread) {
    for (int r = 0; r < Columns / 2; ++r) {
      // The PTX ISA's figure of D: d[4j], d[4j+1] in row 16 warp + lane / 4, d[4j+2], d[4j+3] in row + 8.
      const int m = 16 * (thread / 32) + thread % 32 / 4 + (r % 4 >= 2 ? 8 : 0),
                n = r / 4 * 8 + 2 * (thread % 4) + r % 2;
      double sum = 1, size = 1;
      for (int k = 0; k < 64; ++k) {
        const double product = value(a[static_cast<size_t>(m * 64 + k)]) * value(b[static_cast<size_t>(n * 64 + k)]);
        sum += product, size += std::abs(product);
      }
      CAPTURE(TurnedA, TurnedB, Columns, thread, r);
      REQUIRE(std::abs(static_cast<double>(out[static_cast<size_t>(thread * (Columns / 2) + r)]) - sum) <= 1e-6 * size);
    }
  }
}

// ---- mbarriers ----------------------------------------------------------------------------------------------

/// A ring of two places: thread 0 of warp 0 fills, the lanes of warp 1 empty; out[i] = the i-th box's first element.
__global__ void ring_kernel(TensorMap map, int boxes, uint16_t* out) {
  constexpr int kPlaces = 2, kElements = 8 * 64;
  uint16_t* const places = tile_memory<uint16_t>();
  auto* const full = reinterpret_cast<uint64_t*>(places + kPlaces * kElements);
  uint64_t* const empty = full + kPlaces;
  if (threadIdx.x == 0) {
    for (int i = 0; i < kPlaces; ++i) mbarrier_init(full + i, 1), mbarrier_init(empty + i, 32);
    fence_mbarrier_init();
  }
  __syncthreads();
  for (int i = 0; i < boxes; ++i) {
    const int place = i % kPlaces;
    const unsigned parity = static_cast<unsigned>(i / kPlaces % 2);
    if (threadIdx.x == 0) {
      mbarrier_wait(empty + place, parity ^ 1);
      mbarrier_arrive_expect(full + place, kElements * 2);
      bulk_load(places + place * kElements, &map, full + place, 0, 0, 8 * i);
    } else if (threadIdx.x >= 32) {
      mbarrier_wait(full + place, parity);
      if (threadIdx.x == 32) out[i] = places[place * kElements];
      mbarrier_arrive(empty + place);
    }
  }
}

}  // namespace

TEST_CASE("a bulk copy brings the box of a tiled tensor, swizzled, zeros outside") {
  check_tiled({64, 1, 16}, {64, 1, 16}, {0, 0, 0});
  check_tiled({72, 5, 9}, {64, 1, 8}, {64, 3, 5});
  check_tiled({72, 5, 9}, {64, 3, 4}, {-8, -1, 6});
  check_tiled({24, 9, 40}, {64, 1, 64}, {0, 8, 8});
  check_tiled({40, 3, 11}, {32, 2, 5}, {8, 1, 3});
}

TEST_CASE("a bulk copy of pixels walks along rows, columns and images, zeros outside") {
  // memory; images, height, width, channels; channels and pixels of a copy; stride, lower, upper; channel, first,
  // offsets
  check_pixels({{nullptr, 2, 5, 4, 64, 64, 16, 1, {0, 0}, {0, 0}}, 0, 7, 0, 0});
  check_pixels({{nullptr, 3, 5, 7, 72, 64, 128, 1, {-1, -1}, {-1, -1}}, 64, 0, 2, 1});
  check_pixels({{nullptr, 3, 4, 6, 8, 64, 64, 1, {-4, -4}, {-4, -4}}, 0, 13, 8, 0});
  check_pixels({{nullptr, 2, 7, 6, 16, 64, 32, 2, {-1, -1}, {-1, -1}}, 0, 5, 1, 2});
  check_pixels({{nullptr, 2, 5, 9, 16, 64, 24, 2, {0, 0}, {0, 0}}, 0, 3, 0, 0});
  check_pixels({{nullptr, 2, 6, 5, 24, 16, 40, 1, {-2, -2}, {0, 0}}, 8, 11, 1, 2});
  check_pixels({{nullptr, 3, 6, 7, 16, 64, 48, 2, {-1, -1}, {-3, -2}}, 0, 2, 3, 2});
  check_pixels({{nullptr, 3, 5, 4, 16, 64, 40, 1, {-1, 0}, {-2, 0}}, 0, 4, 1, 0});
}

TEST_CASE("descriptions that the driver would refuse are errors") {
  alignas(16) static const uint16_t memory[64] = {};
  CHECK_THROWS_WITH(make_tensor_map(TiledBox{memory + 1, {8, 1, 1}, {8, 1, 1}}),
                    Catch::Contains("aligned to 16 bytes"));
  CHECK_THROWS_WITH(make_tensor_map(TiledBox{memory, {12, 1, 1}, {8, 1, 1}}), Catch::Contains("multiples of 16 bytes"));
  CHECK_THROWS_WITH(make_tensor_map(TiledBox{memory, {8, 1, 1}, {72, 1, 1}}), Catch::Contains("16 to 128 bytes"));
  CHECK_THROWS_WITH(make_tensor_map(TiledBox{memory, {8, 1, 1}, {8, 1, 257}}), Catch::Contains("[1, 256]"));
  CHECK_THROWS_WITH(make_tensor_map(PixelBox{memory, 1, 1, 1, 8, 8, 1025, 1, {0, 0}, {0, 0}}),
                    Catch::Contains("[1, 1024]"));
  CHECK_THROWS_WITH(make_tensor_map(PixelBox{memory, 1, 1, 1, 8, 8, 1, 9, {0, 0}, {0, 0}}), Catch::Contains("[1, 8]"));
  CHECK_THROWS_WITH(make_tensor_map(PixelBox{memory, 1, 1, 1, 8, 8, 1, 1, {-129, -129}, {0, 0}}),
                    Catch::Contains("[-128, 127]"));
}

TEST_CASE("wgmma multiplies operands and spreads sums as the PTX ISA says") {
  check_wgmma<false, false, 128>();
  check_wgmma<false, true, 128>();
  check_wgmma<true, false, 128>();
  check_wgmma<true, true, 128>();
  check_wgmma<false, false, 64>();
  check_wgmma<false, true, 64>();
  check_wgmma<true, true, 64>();
  check_wgmma<false, false, 256>();
  check_wgmma<true, true, 256>();
}

TEST_CASE("mbarriers hold a ring of copies together in any order of threads") {
  constexpr int kBoxes = 11;
  const auto memory = counted(64 * 8 * kBoxes);
  const TensorMap map = make_tensor_map(TiledBox{memory.data(), {64, 1, 8 * kBoxes}, {64, 1, 8}});
  for (uint64_t schedule = 0; schedule < 8; ++schedule) {
    Stream stream(Device::simt, {.schedule = schedule});
    std::vector<uint16_t> out(kBoxes);
    launch(ring_kernel, 1, 64, 1024 + 2 * 1024 + 32, stream, map, kBoxes, out.data());
    for (int i = 0; i < kBoxes; ++i) {
      CAPTURE(schedule, i);
      CHECK(out[static_cast<size_t>(i)] == memory[static_cast<size_t>(64 * 8 * i)]);
    }
  }
}
