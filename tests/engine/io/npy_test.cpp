#include "engine/io/npy.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <cmath>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {
// A version 1.0 file with this header and `data` bytes of zeros.
std::vector<std::byte> npy(const std::string& header, size_t data,
                           std::string magic = std::string("\x93NUMPY\x01\x00", 8)) {
  std::string text = magic + static_cast<char>(header.size() & 0xff) + static_cast<char>(header.size() >> 8) + header;
  text += std::string(data, '\0');
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}
}  // namespace

TEST_CASE("npy arrays come back as they were written") {
  test::TemporaryFolder folder;
  const auto dtype = GENERATE(DType::f64, DType::f32, DType::i64, DType::i32, DType::u8);
  const Shape shape = GENERATE(Shape{}, Shape{3}, Shape{2, 3}, Shape{2, 0, 3}, Shape{1, 2, 3, 4});
  HostTensor x(shape, dtype);
  for (size_t i = 0; i < x.bytes.size(); ++i) x.bytes[i] = static_cast<std::byte>(i * 37 + 11);
  write_npy(folder / "x.npy", x);
  CHECK(read_npy(folder / "x.npy") == x);
  CHECK(read_file(folder / "x.npy").size() % 64 == x.bytes.size() % 64);
}

TEST_CASE("npy bytes are numpy's") {
  // numpy.save of numpy.array([[1, 2]], 'u1')
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }";
  header.append(58, ' ').append("\n");
  auto expected = npy(header, 2);
  expected[expected.size() - 2] = std::byte{1};
  expected[expected.size() - 1] = std::byte{2};
  CHECK(to_npy(HostTensor::from(std::vector<uint8_t>{1, 2}, {1, 2})) == expected);
}

TEST_CASE("npy headers are read as Python would") {
  CHECK(from_npy(npy("{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}", 8), "x").shape == Shape{2});
  CHECK(from_npy(npy("{'descr': '<i8', 'fortran_order': False, 'shape': ()}\n", 8), "x").shape == Shape{});
}

TEST_CASE("broken npy data are refused") {
  const auto [header, data, reason] = GENERATE(table<std::string, size_t, std::string>({
      {"", 0, "header"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", 8, "header"},
      {"{'descr': '<f4', 'fortran_order': False}", 4, "missing key"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "repeated"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", 4, "unknown"},
      {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 4, "True nor False"},
      {"{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", 8, "element type"},
      {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8, "element type"},
      {"{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", 4, "element type"},
      {"{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}", 4, "element type"},
      {"{'descr': '', 'fortran_order': False, 'shape': (1,)}", 4, "element type"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "quoted"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}", 0, "too large"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}", 4, "repeated"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "natural"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4, "natural"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296)}", 4, "too large"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}", 4, "dimensions"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 7, "bytes of data"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 9, "bytes of data"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "after its end"},
      {"{'descr: 1", 0, "open quote"},
  }));
  CAPTURE(header);
  CHECK_THROWS_AS(from_npy(npy(header, data), "some.npy"), DataError);
  CHECK_THROWS_WITH(from_npy(npy(header, data), "some.npy"), Contains("some.npy") && Contains(reason));
}

TEST_CASE("npy of other byte orders and widths become what this house computes in") {
  const auto header = [](const std::string& type, int count) {
    return "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + std::to_string(count) + ",), }\n";
  };
  const auto read = [&](const std::string& type, int count, const std::string& data) {
    std::vector<std::byte> bytes = npy(header(type, count), data.size());
    std::ranges::copy(std::as_bytes(std::span(data)), bytes.end() - static_cast<std::ptrdiff_t>(data.size()));
    return from_npy(bytes, "x");
  };
  CHECK(read(">f4", 1, std::string("\x3f\xc0\x00\x00", 4)) == HostTensor::from(std::vector<float>{1.5f}, {1}));
  CHECK(read(">i8", 1, std::string("\xff\xff\xff\xff\xff\xff\xff\xfe", 8)) ==
        HostTensor::from(std::vector<int64_t>{-2}, {1}));
  CHECK(read("<i2", 2, "\xfe\xff\x01\x02") == HostTensor::from(std::vector<int32_t>{-2, 513}, {2}));
  CHECK(read(">u2", 1, "\xff\xfe") == HostTensor::from(std::vector<int32_t>{65534}, {1}));
  CHECK(read("<u4", 1, "\xff\xff\xff\xff") == HostTensor::from(std::vector<int64_t>{4294967295}, {1}));
  CHECK(read("|i1", 1, "\x80") == HostTensor::from(std::vector<int32_t>{-128}, {1}));
  CHECK(read("|b1", 2, std::string("\x00\x01", 2)) == HostTensor::from(std::vector<uint8_t>{0, 1}, {2}));
  // 1, -2, smallest subnormal, largest, -0, infinity
  CHECK(read("<f2", 6, std::string("\x00\x3c\x00\xc0\x01\x00\xff\x7b\x00\x80\x00\x7c", 12)) ==
        HostTensor::from(std::vector<float>{1, -2, 0x1p-24f, 65504, -0.0f, INFINITY}, {6}));
  CHECK(std::isnan(read(">f2", 1, std::string("\x7e\x00", 2)).to_doubles()[0]));
}

TEST_CASE("npy in Fortran order comes out in C order") {
  // numpy.save of numpy.asfortranarray([[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]], 'u1')
  std::vector<std::byte> bytes = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }\n", 12);
  const uint8_t order[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};
  std::ranges::copy(std::as_bytes(std::span(order)), bytes.end() - 12);
  const HostTensor x = from_npy(bytes, "x");
  CHECK(x == HostTensor::from(std::vector<uint8_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {2, 3, 2}));
  CHECK(from_npy(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 0)}", 0), "x").shape == Shape{3, 0});
  CHECK(from_npy(npy("{'descr': '<f4', 'fortran_order': True, 'shape': ()}", 4), "x").count() == 1);
}

TEST_CASE("npy versions 2.0 and 3.0 have a longer header length") {
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n";
  const auto version = GENERATE(2, 3);
  std::string text = std::string("\x93NUMPY", 6) + static_cast<char>(version) + std::string(1, '\0') +
                     static_cast<char>(header.size()) + std::string(3, '\0') + header + "ab";
  CHECK(from_npy(std::as_bytes(std::span(text)), "x") == HostTensor::from(std::vector<uint8_t>{'a', 'b'}, {2}));
  text[9] = '\x30';
  CHECK_THROWS_WITH(from_npy(std::as_bytes(std::span(text)), "x"), Contains("10000 are the most"));
  text[9] = '\x01';
  CHECK_THROWS_WITH(from_npy(std::as_bytes(std::span(text)), "x"), Contains("truncated in its header"));
}

TEST_CASE("other files and versions are no npy") {
  CHECK_THROWS_WITH(from_npy(npy("{}", 0, "not numpy"), "x"), Contains("not an npy"));
  CHECK_THROWS_WITH(from_npy(npy("{}", 0, std::string("\x93NUMPY\x04\x00", 8)), "x"), Contains("version 4.0"));
  CHECK_THROWS_WITH(from_npy(npy("{}", 0, std::string("\x93NUMPY\x01\x01", 8)), "x"), Contains("version 1.1"));
  const auto whole = to_npy(HostTensor::from(std::vector<float>{1, 2, 3}, {3}));
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS_AS(from_npy(std::span(whole).first(size), "x"), DataError);
  }
  CHECK_THROWS_AS(to_npy(HostTensor({2}, DType::bf16)), DTypeError);
}
