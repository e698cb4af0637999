#include "engine/io/npy.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

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
  const std::string header =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }" + std::string(58, ' ') + "\n";
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
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4, "Fortran"},
      {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 4, "True nor False"},
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, "element type"},
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

TEST_CASE("other files and versions are no npy") {
  CHECK_THROWS_WITH(from_npy(npy("{}", 0, "not numpy"), "x"), Contains("not an npy"));
  CHECK_THROWS_WITH(from_npy(npy("{}", 0, std::string("\x93NUMPY\x02\x00", 8)), "x"), Contains("version"));
  const auto whole = to_npy(HostTensor::from(std::vector<float>{1, 2, 3}, {3}));
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS_AS(from_npy(std::span(whole).first(size), "x"), DataError);
  }
  CHECK_THROWS_AS(to_npy(HostTensor({2}, DType::bf16)), DTypeError);
}
