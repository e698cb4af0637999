#include "engine/io/npz.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/compression.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace ascore;
using Catch::Matchers::Contains;

namespace {
NpzArrays example() {
  HostTensor images({5, 8, 8, 3}, DType::u8);
  for (size_t i = 0; i < images.bytes.size(); ++i) images.bytes[i] = static_cast<std::byte>(i % 7);
  return {{"arr_0", images}, {"points", HostTensor::from(std::vector<float>{1, -2, 0.5f}, {3})}};
}
}  // namespace

TEST_CASE("npz arrays come back, and equal arrays give equal bytes without a date") {
  test::TemporaryFolder folder;
  const auto packing = GENERATE(NpzPacking::stored, NpzPacking::deflated);
  write_npz(folder / "a.npz", example(), packing);
  write_npz(folder / "b.npz", example(), packing);
  const auto bytes = read_file(folder / "a.npz");
  CHECK(bytes == read_file(folder / "b.npz"));
  CHECK(std::vector(bytes.begin() + 10, bytes.begin() + 14) ==
        std::vector{std::byte{0}, std::byte{0}, std::byte{0x21}, std::byte{0}});  // 1 January 1980, 0:00
  const auto arrays = read_npz(folder / "a.npz");
  REQUIRE(arrays.size() == 2);
  for (const auto& [name, array] : example()) CHECK(arrays.at(name) == array);
}

TEST_CASE("an npz without arrays is a file") {
  test::TemporaryFolder folder;
  write_npz(folder / "a.npz", {});
  CHECK(read_npz(folder / "a.npz").empty());
}

TEST_CASE("a changed or missing byte of an npz is found") {
  test::TemporaryFolder folder;
  const auto packing = GENERATE(NpzPacking::stored, NpzPacking::deflated);
  write_npz(folder / "a.npz", example(), packing);
  const auto whole = read_file(folder / "a.npz");
  for (size_t size = 0; size < whole.size(); size += 13) {
    test::write_quickly(folder / "b.npz", std::span(whole).first(size));
    CHECK_THROWS_AS(read_npz(folder / "b.npz"), DataError);
  }
  auto damaged = whole;
  damaged[packing == NpzPacking::stored ? 300 : 60] ^= std::byte{1};  // inside the first array
  test::write_quickly(folder / "b.npz", damaged);
  CHECK_THROWS_AS(read_npz(folder / "b.npz"), DataError);
  CHECK_THROWS_WITH(read_npz(folder / "b.npz"), Contains("b.npz") && Contains("arr_0"));
  for (size_t i = 0; i < whole.size(); i += 3) {  // anywhere: an error or an array, never a crash
    damaged = whole;
    damaged[i] ^= std::byte{0xff};
    test::write_quickly(folder / "b.npz", damaged);
    try {
      read_npz(folder / "b.npz");
    } catch (const DataError&) {
    }
  }
}

TEST_CASE("deflate and gzip data are checked") {
  const std::string text(100000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  const auto packed = deflate_raw(bytes);
  CHECK(packed.size() < 1000);
  const auto unpacked = inflate_raw(packed, "x", text.size());
  CHECK(std::equal(unpacked.begin(), unpacked.end(), bytes.begin(), bytes.end()));
  CHECK_THROWS_AS(inflate_raw(packed, "x", text.size() - 1), DataError);
  CHECK_THROWS_AS(inflate_raw(packed, "x", text.size() + 1), DataError);
  CHECK_THROWS_AS(inflate_raw(std::span(packed).first(packed.size() - 1), "x", text.size()), DataError);
  auto longer = packed;
  longer.push_back(std::byte{0});
  CHECK_THROWS_AS(inflate_raw(longer, "x", text.size()), DataError);
  CHECK_THROWS_AS(gunzip(packed, "x", 1 << 20), DataError);
  CHECK(deflate_raw({}).size() == 2);
}

TEST_CASE("CRC-32 gives the published check value, in parts too") {
  Checksum sum;
  sum.add("1234");
  sum.add("56789");
  CHECK(sum.value() == 0xcbf43926u);
  CHECK(sum.text() == "cbf43926");
  CHECK(crc32(std::as_bytes(std::span("123456789", 9))) == sum.value());
}
