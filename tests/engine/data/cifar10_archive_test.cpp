#include "engine/data/cifar10_files.hpp"
#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/tar.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fmt/format.h>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {

/// Twelve real records, two for each of the six files.
std::string records(size_t file) {
  const auto bytes = read_file(ASCORE_TEST_DATA "/cifar10/first_12.bin");
  return {reinterpret_cast<const char*>(bytes.data()) + file * 2 * 3073, 2 * 3073};
}

std::string archive_of_first(size_t files, const std::string& more = {}) {
  std::string archive = test::tar_member("cifar-10-batches-bin/", "", '5') +
                        test::tar_member("cifar-10-batches-bin/readme.html", "<html>");
  for (size_t i = 0; i < files; ++i) {
    const std::string name = i == 0 ? "test_batch.bin" : fmt::format("data_batch_{}.bin", i);
    archive += test::tar_member("cifar-10-batches-bin/" + name, records(i));
  }
  return archive + more + std::string(1024, '\0');
}

ByteImageSplits read(const std::string& archive) {
  return from_cifar10_archive(std::as_bytes(std::span(archive)), "some.tar", 2);
}

}  // namespace

TEST_CASE("a CIFAR-10 archive holds the six files, packed or not") {
  const std::string archive = archive_of_first(6);
  const auto packed = test::gzip(std::as_bytes(std::span(archive)));
  const ByteImageSplits plain = read(archive), unpacked = from_cifar10_archive(packed, "some.tar.gz", 2);
  CHECK(plain.sample_shape == Shape{32, 32, 3});
  CHECK(plain.test.labels == std::vector<uint8_t>{6, 9});
  CHECK(plain.train.labels == std::vector<uint8_t>{9, 4, 1, 1, 2, 7, 8, 3, 4, 7});
  CHECK(unpacked.train.labels == plain.train.labels);
  CHECK(unpacked.train.pixels == plain.train.pixels);
  ByteImages all;
  append_cifar10_file(ASCORE_TEST_DATA "/cifar10/first_12.bin", 12, all);
  CHECK(std::equal(plain.test.pixels.begin(), plain.test.pixels.end(), all.pixels.begin()));
  CHECK(std::equal(plain.train.pixels.begin(), plain.train.pixels.end(), all.pixels.begin() + 2 * 3072));
}

TEST_CASE("a CIFAR-10 archive that is not whole names what is wrong") {
  CHECK_THROWS_WITH(read(archive_of_first(5)), Contains("some.tar: holds no data_batch_5.bin"));
  CHECK_THROWS_WITH(read(archive_of_first(6, test::tar_member("x/test_batch.bin", ""))),
                    Contains("test_batch.bin twice"));
  const std::string whole = archive_of_first(6);
  CHECK_THROWS_WITH(from_cifar10_archive(std::as_bytes(std::span(whole)), "x", 3),
                    Contains("test_batch.bin: 6146 bytes, where 3"));
  std::string wrong = whole;
  wrong[3 * 512 + 512] = '\x0b';  // folder, readme, its contents, the header of test_batch.bin
  CHECK_THROWS_WITH(read(wrong), Contains("test_batch.bin: record 0 has the label 11"));
  const auto packed = test::gzip(std::as_bytes(std::span(whole)));
  CHECK_THROWS_AS(from_cifar10_archive(std::span(packed).first(packed.size() - 9), "x", 2), DataError);
}

TEST_CASE("data.path of cifar10 may be an archive") {
  test::TemporaryFolder folder;
  const std::string archive = archive_of_first(6);
  test::write_quickly(folder / "c.tar", std::as_bytes(std::span(archive)));
  const DataConfig config{.name = "cifar10", .path = (folder / "c.tar").string()};
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("c.tar: test_batch.bin: 6146 bytes, where 10000"));
}
