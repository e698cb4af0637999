#include "engine/data/dataset.hpp"
#include "engine/data/image_source.hpp"
#include "engine/data/resize.hpp"
#include "engine/io/image_file.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/images.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/zip.hpp"

#include <cmath>
#include <fstream>
#include <set>

using namespace ascore;
using Catch::Matchers::Contains;
using Entries = std::map<std::string, std::vector<std::byte>>;

namespace {

/// A PNG of one colour, `side` pixels wide and higher than wide.
std::vector<std::byte> plain(uint8_t value, int64_t side) {
  HostTensor picture({side + 3, side, 3}, DType::u8);
  std::ranges::fill(picture.bytes, static_cast<std::byte>(value));
  return to_png(picture);
}

/// Six plain pictures, whose names in order have the values 10, 20, ... 60, and things that are no pictures.
Entries some_pictures() {
  const std::vector<std::byte> note{std::byte{'x'}};
  return {{"a/deep/1.png", plain(10, 12)},
          {"a/2.PNG", plain(20, 9)},
          {"b.png", plain(30, 40)},
          {"b/4.png", plain(40, 8)},
          {"c.jpeg", plain(50, 8)},
          {"z.webp", plain(60, 8)},
          {"README.txt", note},
          {"a/.hidden.png", note},
          {".png", note},
          {"a/._2.PNG", note},
          {"z.webp.part", note}};
}

void write_folder(const std::filesystem::path& folder, const Entries& entries) {
  for (const auto& [name, bytes] : entries) {
    std::filesystem::create_directories((folder / name).parent_path());
    test::write_quickly(folder / name, bytes);
  }
}

std::vector<float> read(const Dataset& data, Split split, int64_t index) {
  std::vector<float> image(static_cast<size_t>(data.sample_shape().count()));
  data.read(split, index, image.data());
  return image;
}

/// The one value of a plain picture, 0 to 255.
int value_of(const Dataset& data, int64_t index) {
  const std::vector<float> image = read(data, Split::train, index);
  CHECK(image == std::vector<float>(image.size(), image.front()));
  return static_cast<int>(std::lround(image.front() * 255));
}

std::multiset<int> values(const Dataset& data) {
  std::multiset<int> found;
  for (int64_t i = 0; i < data.size(Split::train); ++i) found.insert(value_of(data, i));
  return found;
}

}  // namespace

TEST_CASE("a folder and a zip of images are the same data") {
  test::TemporaryFolder folder;
  write_folder(folder / "images", some_pictures());
  test::write_quickly(folder / "images.zip", test::zip(some_pictures()));
  DataConfig config{.name = "folder", .path = (folder / "images").string(), .image_size = 8, .test_fraction = 0};
  const auto files = open_dataset(config, 1);
  config.path = (folder / "images.zip").string();
  const auto archive = open_dataset(config, 2);
  CHECK(files->sample_shape() == Shape{8, 8, 3});
  CHECK(files->size(Split::train) == 6);
  CHECK(files->size(Split::test) == 0);
  CHECK(files->notices().empty());
  CHECK(values(*files) == std::multiset<int>{10, 20, 30, 40, 50, 60});
  for (int64_t i = 0; i < 6; ++i) CHECK(read(*files, Split::train, i) == read(*archive, Split::train, i));
  config.test_fraction = 0.34;
  CHECK(open_dataset(config, 1)->size(Split::test) == 2);
}

TEST_CASE("the images of a folder are sorted by path, and framed by shorter side and crop") {
  test::TemporaryFolder folder;
  write_folder(folder.path(), some_pictures());
  const auto source = image_folder(folder.path());
  REQUIRE(source->size() == 6);
  CHECK(source->name(0) == (folder / "a/2.PNG").string());
  CHECK(source->name(1) == (folder / "a/deep/1.png").string());
  CHECK(source->name(5) == (folder / "z.webp").string());

  test::TemporaryFolder one;
  test::write_quickly(one / "color.png", test::picture_file("color.png"));
  const int channels = GENERATE(1, 3);
  const auto data = open_dataset(
      {.name = "folder", .path = one.path().string(), .image_size = 24, .channels = channels, .test_fraction = 0}, 1);
  const HostTensor wanted =
      center_crop(resize_to_cover(decode_image(test::picture_file("color.png"), channels, "x"), 24, 24), 24, 24);
  std::vector<float> pixels;
  for (const double value : wanted.to_doubles()) pixels.push_back(static_cast<float>(value) / 255.0f);
  CHECK(read(*data, Split::train, 0) == pixels);
}

TEST_CASE("images may be framed wider than high") {
  test::TemporaryFolder one;
  test::write_quickly(one / "color.png", test::picture_file("color.png"));
  const auto data = open_dataset(
      {.name = "folder", .path = one.path().string(), .image_size = 24, .image_height = 12, .test_fraction = 0}, 1);
  CHECK(data->sample_shape() == Shape{12, 24, 3});
  const HostTensor wanted =
      center_crop(resize_to_cover(decode_image(test::picture_file("color.png"), 3, "x"), 12, 24), 12, 24);
  std::vector<float> pixels;
  for (const double value : wanted.to_doubles()) pixels.push_back(static_cast<float>(value) / 255.0f);
  CHECK(read(*data, Split::train, 0) == pixels);
}

TEST_CASE("a broken image names itself, or is counted and skipped") {
  test::TemporaryFolder folder;
  Entries entries = some_pictures();
  entries.at("b.png").resize(60);
  entries.at("c.jpeg").clear();
  const bool zipped = GENERATE(false, true);
  write_folder(folder / "images", entries);
  test::write_quickly(folder / "images.zip", test::zip(entries));
  DataConfig config{.name = "folder", .image_size = 8, .test_fraction = 0};
  config.path = (folder / (zipped ? "images.zip" : "images")).string();
  const auto strict = open_dataset(config, 1);
  int broken = 0;
  for (int64_t i = 0; i < 6; ++i) {
    try {
      read(*strict, Split::train, i);
    } catch (const DataError& error) {
      ++broken;
      const std::string words = error.what();
      CHECK((words.find(zipped ? "images.zip: entry b.png: a broken PNG picture: it ends early"
                               : "images/b.png: a broken PNG picture: it ends early") != std::string::npos ||
             words.find(zipped ? "images.zip: entry c.jpeg: an empty file" : "images/c.jpeg: an empty file") !=
                 std::string::npos));
    }
  }
  CHECK(broken == 2);
  config.skip_broken = true;
  const auto lenient = open_dataset(config, 1);
  CHECK(lenient->size(Split::train) == 4);
  CHECK(values(*lenient) == std::multiset<int>{10, 20, 40, 60});
  REQUIRE(lenient->notices().size() == 1);
  CHECK_THAT(lenient->notices()[0], Contains("2 of 6 images are left out") && Contains("images"));

  test::TemporaryFolder hopeless;
  test::write_quickly(hopeless / "a.png", entries.at("b.png"));
  config.path = hopeless.path().string();
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("all images are broken") && Contains("a.png"));
}

TEST_CASE("an archive whose names climb out of it is refused") {
  test::TemporaryFolder folder;
  const auto path = folder / "x.zip";
  const DataConfig config{.name = "folder", .path = path.string(), .image_size = 8};
  for (const std::string name :
       {"../../x.png", "a/../../x.png", "..", "/etc/x.png", "\\x.png", "..\\x.png", "C:x.png"}) {
    CAPTURE(name);
    test::write_quickly(path, test::zip({{"a.png", plain(1, 8)}, {name, plain(2, 8)}}));
    CHECK_THROWS_WITH(open_dataset(config, 1), Contains("x.zip: entry " + name + " lies outside"));
  }
  test::write_quickly(path, test::zip({{"a..b/..c.png", plain(1, 8)}, {"a/x..png", plain(2, 8)}}));
  CHECK(open_dataset(config, 1)->size(Split::train) == 1);  // "..c.png" is hidden
}

TEST_CASE("a folder that gives nothing to train from is refused") {
  test::TemporaryFolder folder;
  DataConfig config{.name = "folder", .image_size = 8};
  CHECK_THROWS_AS(open_dataset(config, 1), ConfigError);
  config.path = (folder / "nowhere").string();
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("nowhere: cannot be read: No such file"));
  config.path = folder.path().string();
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("holds no images"));
  test::write_quickly(folder / "a.png", plain(1, 8));
  config.channels = 2;
  CHECK_THROWS_AS(open_dataset(config, 1), ConfigError);
  config.channels = 0;
  config.image_size = 0;
  CHECK_THROWS_AS(open_dataset(config, 1), ConfigError);
  config.image_size = 8;
  config.path = (folder / "a.png").string();
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("a.png: not a zip file"));
}

TEST_CASE("celeba reads its partition and frames faces") {
  test::TemporaryFolder folder;
  HostTensor face({218, 178, 3}, DType::u8);
  for (size_t i = 0; i < face.bytes.size(); ++i) face.bytes[i] = static_cast<std::byte>(i * 7 / 3 % 251);
  std::filesystem::create_directory(folder / "img_align_celeba");
  for (const char* name : {"1.jpg", "2.jpg", "3.jpg", "4.jpg"}) {
    test::write_quickly(folder / "img_align_celeba" / name, to_png(face));
  }
  const auto partition = [&](const std::string& text) { std::ofstream(folder / "list_eval_partition.txt") << text; };
  partition("1.jpg 0\n2.jpg 1\n\n3.jpg 2\r\n4.jpg 0\n");
  const DataConfig config{.name = "celeba", .path = folder.path().string(), .image_size = 20};
  const auto data = open_dataset(config, 1);
  CHECK(data->size(Split::train) == 2);
  CHECK(data->size(Split::test) == 1);
  const HostTensor wanted = resize_bilinear(center_crop(face, 140, 140), 20, 20);
  std::vector<float> pixels;
  for (const double value : wanted.to_doubles()) pixels.push_back(static_cast<float>(value) / 255.0f);
  CHECK(read(*data, Split::train, 1) == pixels);

  test::write_quickly(folder / "img_align_celeba/4.jpg", plain(3, 100));
  CHECK_THROWS_WITH(read(*data, Split::train, 1), Contains("4.jpg: 100x103 pixels, too few"));
  std::filesystem::remove(folder / "img_align_celeba/3.jpg");
  CHECK_THROWS_WITH(read(*data, Split::test, 0), Contains("img_align_celeba/3.jpg"));
  for (const std::string wrong : {"1.jpg\n", "1.jpg 3\n", "1.jpg 0 0\n", "../1.jpg 0\n", "1.jpg x\n"}) {
    CAPTURE(wrong);
    partition("2.jpg 1\n" + wrong);
    CHECK_THROWS_WITH(open_dataset(config, 1), Contains("list_eval_partition.txt:2: is not"));
  }
  partition("1.jpg 0\n");
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("holds no images"));
  CHECK_THROWS_AS(open_dataset({.name = "celeba", .image_size = 20}, 1), ConfigError);
  std::filesystem::remove_all(folder / "img_align_celeba");
  CHECK_THROWS_WITH(open_dataset(config, 1), Contains("img_align_celeba: no such folder"));
}
