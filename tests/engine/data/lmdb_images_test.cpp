#include "engine/data/dataset.hpp"
#include "engine/data/resize.hpp"
#include "engine/io/image_file.hpp"
#include "engine/io/lmdb.hpp"
#include "engine/io/png.hpp"
#include "engine/io/webp.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/images.hpp"
#include "tests/support/lmdb.hpp"
#include "tests/support/temporary_folder.hpp"

#include <set>

#include <fmt/format.h>

using namespace ascore;
using Catch::Matchers::Contains;
using Entries = std::map<std::string, std::vector<std::byte>>;

namespace {

std::vector<float> read(const Dataset& data, Split split, int64_t index) {
  std::vector<float> image(static_cast<size_t>(data.sample_shape().count()));
  data.read(split, index, image.data());
  return image;
}

std::vector<float> framed(const std::string& file, int64_t size) {
  const HostTensor square =
      center_crop(resize_to_cover(decode_image(test::picture_file(file), 3, file), size, size), size, size);
  std::vector<float> pixels;
  for (const double value : square.to_doubles()) pixels.push_back(static_cast<float>(value) / 255.0f);
  return pixels;
}

std::vector<std::byte> text(const std::string& words) {
  const auto bytes = std::as_bytes(std::span(words));
  return {bytes.begin(), bytes.end()};
}

/// Pictures of one file in each of several formats, as LSUN's categories and FFHQ have them.
const std::string kSecond = kWebpBuilt ? "lossy.webp" : "color.png";

void write_churches(const std::filesystem::path& folder) {
  test::write_lmdb(folder / "church_train_lmdb",
                   {{"b", test::picture_file(kSecond)}, {"a", test::picture_file("color.jpg")}});
  test::write_lmdb(folder / "church_val_lmdb", {{"x", test::picture_file("color.png")}});
}

}  // namespace

TEST_CASE("lsun reads the pair of a category, JPEG and WebP by their first bytes, sorted by key") {
  test::TemporaryFolder folder;
  if (!kLmdbBuilt) {
    CHECK_THROWS_AS(LmdbFile(folder.path()), DeviceError);
    return;
  }
  write_churches(folder.path());
  const auto path = GENERATE("", "church_train_lmdb", "church_train_lmdb/");
  const auto data = open_dataset({.name = "lsun", .path = (folder / path).string(), .image_size = 24}, 1);
  CHECK(data->size(Split::train) == 2);
  CHECK(data->size(Split::test) == 1);
  CHECK(read(*data, Split::train, 0) == framed("color.jpg", 24));
  CHECK(read(*data, Split::train, 1) == framed(kSecond, 24));
  CHECK(read(*data, Split::test, 0) == framed("color.png", 24));
  CHECK_FALSE(std::filesystem::exists(folder / "church_train_lmdb/lock.mdb"));
}

TEST_CASE("lsun folders that are not whole are refused", "[lmdb]") {
  if (!kLmdbBuilt) return;
  test::TemporaryFolder folder;
  const DataConfig config{.name = "lsun", .path = folder.path().string(), .image_size = 24};
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("ends in _train_lmdb"));
  write_churches(folder.path());
  std::filesystem::rename(folder / "church_val_lmdb", folder / "elsewhere");
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("church_val_lmdb/data.mdb: no such file"));
  test::write_lmdb(folder / "church_val_lmdb", {});
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("church_val_lmdb: holds no images"));
  test::write_lmdb(folder / "tower_train_lmdb", {});
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("church_train_lmdb and tower_train_lmdb"));
  CHECK_THROWS_AS(open_dataset({.name = "lsun", .image_size = 24}, 1), ConfigError);
  CHECK_THROWS_AS(open_dataset({.name = "lsun", .path = (folder / "nowhere").string(), .image_size = 24}, 1),
                  DataError);
}

TEST_CASE("a value that is cut off names its key, or is skipped", "[lmdb]") {
  if (!kLmdbBuilt) return;
  test::TemporaryFolder folder;
  write_churches(folder.path());
  std::vector<std::byte> cut = test::picture_file("progressive.jpg");
  cut.resize(cut.size() / 2);
  test::write_lmdb(folder / "church_train_lmdb", {{"aa", cut}});
  DataConfig config{.name = "lsun", .path = folder.path().string(), .image_size = 24};
  const auto strict = open_dataset(config, 1);
  CHECK(strict->size(Split::train) == 3);
  CHECK_THROWS_WITH(read(*strict, Split::train, 1), Contains("church_train_lmdb: key aa: a truncated or damaged JPEG"));
  config.skip_broken = true;
  const auto lenient = open_dataset(config, 1);
  CHECK(lenient->size(Split::train) == 2);
  CHECK(read(*lenient, Split::train, 1) == framed(kSecond, 24));
  REQUIRE(lenient->notices().size() == 1);
  CHECK_THAT(lenient->notices()[0], Contains("1 of 4 images are left out") && Contains("key aa"));
}

TEST_CASE("ffhq reads the images of the size that is asked for", "[lmdb]") {
  if (!kLmdbBuilt) return;
  test::TemporaryFolder folder;
  Entries entries{{"length", text("12")}};
  for (int i = 0; i < 12; ++i) {
    HostTensor picture({16, 16, 3}, DType::u8);
    std::ranges::fill(picture.bytes, static_cast<std::byte>(10 * i));
    entries[fmt::format("16-{:05}", i)] = to_png(picture);
    entries[fmt::format("8-{:05}", i)] = test::picture_file("color.jpg");
  }
  const auto path = folder / "db";
  test::write_lmdb(path, entries);
  DataConfig config{.name = "ffhq", .path = path.string(), .image_size = 16, .test_fraction = 0.25};
  const auto data = open_dataset(config, 1);
  CHECK(data->size(Split::train) == 9);
  CHECK(data->size(Split::test) == 3);
  std::multiset<float> values;
  for (const Split split : {Split::train, Split::test}) {
    for (int64_t i = 0; i < data->size(split); ++i) values.insert(read(*data, split, i).front());
  }
  CHECK(values.size() == 12);
  CHECK(*values.rbegin() == 110.0f / 255.0f);
  CHECK(std::set<float>(values.begin(), values.end()).size() == 12);

  config.image_size = 32;
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("has no key 32-00000"));
  config.image_size = 16;
  test::write_lmdb(path, {{"length", text("13")}});
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("has no key 16-00012: image 12 of 13"));
  for (const std::string wrong : {"", "many", "0", "12x"}) {
    CAPTURE(wrong);
    test::write_lmdb(path, {{"length", text(wrong)}});
    CHECK_THROWS_WITH(open_dataset(config, 1), Contains("key length holds no number"));
  }
  test::write_lmdb(folder / "other", {{"x", text("y")}});
  config.path = (folder / "other").string();
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("has no key length"));
}

TEST_CASE("LMDB files that are cut off or none are refused", "[lmdb]") {
  if (!kLmdbBuilt) return;
  test::TemporaryFolder folder;
  test::write_lmdb(folder.path(), {{"a", std::vector<std::byte>(100'000, std::byte{1})}});
  const auto file = folder / "data.mdb";
  const auto records = LmdbFile(folder.path()).records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].key == "a");
  CHECK(records[0].value.size() == 100'000);
  for (uintmax_t size = std::filesystem::file_size(file) - 1;; size /= 2) {
    CAPTURE(size);
    std::filesystem::resize_file(file, size);
    CHECK_THROWS_AS(LmdbFile(folder.path()), DataError);
    if (size == 0) break;
  }
  test::write_quickly(file, text(std::string(10'000, 'x')));
  CHECK_THROWS_WITH(LmdbFile(folder.path()), Contains(folder.path().string()));
  std::filesystem::remove(file);
  CHECK_THROWS_WITH(LmdbFile(folder.path()), Contains("data.mdb: no such file"));
}
