#include "engine/io/idx.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace ascore;
using Catch::Matchers::Contains;

namespace {
HostTensor read(const std::string& bytes) {
  return from_idx(std::as_bytes(std::span(bytes)), "some.idx");
}
std::string text(const char* bytes, size_t size) {
  return {bytes, size};
}
}  // namespace

TEST_CASE("idx arrays of every type are read, big-endian") {
  CHECK(read(text("\0\0\x08\x02\0\0\0\x02\0\0\0\x01\x07\xff", 14)) ==
        HostTensor::from(std::vector<uint8_t>{7, 255}, {2, 1}));
  CHECK(read(text("\0\0\x09\x01\0\0\0\x01\xfe", 9)) == HostTensor::from(std::vector<int32_t>{-2}, {1}));
  CHECK(read(text("\0\0\x0b\x01\0\0\0\x01\xff\xfe", 10)) == HostTensor::from(std::vector<int32_t>{-2}, {1}));
  CHECK(read(text("\0\0\x0c\x01\0\0\0\x01\0\0\x01\x02", 12)) == HostTensor::from(std::vector<int32_t>{258}, {1}));
  CHECK(read(text("\0\0\x0d\x01\0\0\0\x01\x3f\xc0\0\0", 12)) == HostTensor::from(std::vector<float>{1.5f}, {1}));
  CHECK(read(text("\0\0\x0e\x01\0\0\0\x01\x3f\xf8\0\0\0\0\0\0", 16)) ==
        HostTensor::from(std::vector<double>{1.5}, {1}));
  CHECK(read(text("\0\0\x08\x01\0\0\0\0", 8)).shape == Shape{0});
}

TEST_CASE("an idx file may be packed by gzip") {
  test::TemporaryFolder folder;
  const std::string plain = text("\0\0\x08\x01\0\0\0\x02\x07\x08", 10);
  const auto packed = test::gzip(std::as_bytes(std::span(plain)));
  test::write_quickly(folder / "a.gz", packed);
  CHECK(read_idx(folder / "a.gz") == read(plain));
  test::write_quickly(folder / "b.gz", std::span(packed).first(packed.size() - 5));
  CHECK_THROWS_WITH(read_idx(folder / "b.gz"), Contains("b.gz") && Contains("damaged"));
  CHECK_THROWS_AS(read_idx(folder / "absent"), DataError);
}

TEST_CASE("broken idx data are refused") {
  const auto [bytes, reason] = GENERATE(table<std::string, std::string>({
      {"", "not an idx array"},
      {text("\0\0\x08", 3), "not an idx array"},
      {text("\x01\0\x08\x01\0\0\0\0", 8), "not an idx array"},
      {text("\0\0\x07\x01\0\0\0\0", 8), "type code 0x07"},
      {text("\0\0\x08\x07", 4), "7 dimensions"},
      {text("\0\0\x08\x02\0\0\0\x01\0\0\0", 11), "truncated in its header"},
      {text("\0\0\x08\x01\0\0\0\x02\x07", 9), "1 bytes of data where [2] need 2"},
      {text("\0\0\x08\x01\0\0\0\x01\x07\x07", 10), "2 bytes of data where [1] need 1"},
      {text("\0\0\x0e\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), "too large"},
  }));
  CAPTURE(reason);
  CHECK_THROWS_AS(read(bytes), DataError);
  CHECK_THROWS_WITH(read(bytes), Contains("some.idx: ") && Contains(reason));
}
