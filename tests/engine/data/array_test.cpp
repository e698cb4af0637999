#include "engine/data/dataset.hpp"
#include "engine/data/image_arrays.hpp"
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/mnist.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <cmath>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {

HostTensor images(int64_t count, DType dtype = DType::u8, const Shape& sample = {4, 4, 3}) {
  HostTensor x({count, sample[0], sample[1], sample[2]}, dtype);
  for (int64_t i = 0; i < x.count(); ++i) {
    const auto at = static_cast<size_t>(i);
    dtype == DType::u8 ? void(x.as<uint8_t>()[at] = static_cast<uint8_t>(i * 7))
                       : void(x.as<float>()[at] = static_cast<float>(i % 97) / 96);
  }
  return x;
}
HostTensor labels(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return HostTensor::from(values, {count});
}
std::unique_ptr<Dataset> open(const std::filesystem::path& path, double test_fraction = 0.25) {
  return open_dataset({.name = "array", .path = path.string(), .test_fraction = test_fraction}, 1);
}

}  // namespace

TEST_CASE("an npy of images is a data set, of which a share is held out") {
  test::TemporaryFolder folder;
  const auto dtype = GENERATE(DType::u8, DType::f32);
  const HostTensor x = images(8, dtype);
  write_npy(folder / "x.npy", x);
  const auto data = open(folder / "x.npy");
  CHECK(data->sample_shape() == Shape{4, 4, 3});
  CHECK(data->size(Split::train) == 6);
  CHECK(data->size(Split::test) == 2);
  std::vector<int64_t> found;  // every image comes out once, in one split or the other
  for (const Split split : {Split::train, Split::test}) {
    for (int64_t i = 0; i < data->size(split); ++i) {
      std::vector<float> image(48);
      data->read(split, i, image.data());
      CHECK(data->label(split, i) == 0);
      for (int64_t n = 0; n < 8; ++n) {
        bool same = true;
        for (size_t j = 0; j < 48; ++j) {
          const size_t at = static_cast<size_t>(n) * 48 + j;
          same = same && image[j] == (dtype == DType::u8 ? static_cast<float>(x.as<uint8_t>()[at]) / 255.0f
                                                         : x.as<float>()[at]);
        }
        if (same) found.push_back(n);
      }
    }
  }
  std::ranges::sort(found);
  CHECK(found == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("an npz brings labels and a test part of its own") {
  test::TemporaryFolder folder;
  write_npz(folder / "x.npz", {{"images", images(4)},
                               {"labels", labels({3, 1, 4, 1})},
                               {"test_images", images(2)},
                               {"test_labels", labels({5, 9})}});
  const auto data = open(folder / "x.npz");
  CHECK(data->size(Split::train) == 4);
  CHECK(data->size(Split::test) == 2);
  CHECK(data->label(Split::train, 2) == 4);
  CHECK(data->label(Split::test, 1) == 9);
  std::vector<float> image(48);
  data->read(Split::test, 1, image.data());
  CHECK(image[0] == static_cast<float>(48 * 7 % 256) / 255.0f);
  write_npz(folder / "samples.npz", {{"arr_0", images(4)}});
  CHECK(open(folder / "samples.npz", 0)->size(Split::train) == 4);
  HostTensor grey({3, 5, 4}, DType::u8);
  write_npy(folder / "grey.npy", grey);
  CHECK(open(folder / "grey.npy")->sample_shape() == Shape{5, 4, 1});
}

TEST_CASE("arrays that are no images are refused with a reason") {
  test::TemporaryFolder folder;
  HostTensor outside = images(2, DType::f32), nan = images(2, DType::f32);
  outside.as<float>()[50] = 1.5f;
  nan.as<float>()[3] = NAN;
  const auto [arrays, reason] = GENERATE_COPY(table<NpzArrays, std::string>({
      {{{"pictures", images(2)}}, "has no array images"},
      {{{"images", images(2)}, {"more", labels({1})}}, "has the array more"},
      {{{"images", HostTensor({5}, DType::u8)}}, "shape [5]"},
      {{{"images", HostTensor({2, 4, 4, 3}, DType::f64)}}, "images of f64"},
      {{{"images", images(0)}}, "no pixels"},
      {{{"images", outside}}, "image 1 has a pixel 1.5"},
      {{{"images", nan}}, "image 0 has a pixel nan"},
      {{{"images", images(2)}, {"labels", labels({1, 2, 3})}}, "2 images need labels [2]"},
      {{{"images", images(2)}, {"labels", labels({1, -1})}}, "label -1"},
      {{{"images", images(2)}, {"labels", labels({1, 65536})}}, "label 65536"},
      {{{"images", images(2)}, {"labels", HostTensor({2}, DType::f32)}}, "labels of f32"},
      {{{"images", images(2)}, {"test_images", images(2, DType::f32)}}, "but test_images f32"},
      {{{"images", images(2)}, {"test_images", images(2, DType::u8, {4, 5, 3})}}, "but test_images u8 [2,4,5,3]"},
  }));
  CAPTURE(reason);
  write_npz(folder / "x.npz", arrays);
  CHECK_THROWS_AS(open(folder / "x.npz"), DataError);
  CHECK_THROWS_WITH(open(folder / "x.npz"), Contains("x.npz: ") && Contains(reason));
}

TEST_CASE("other files and settings are refused") {
  test::TemporaryFolder folder;
  test::write_quickly(folder / "x.npy", std::as_bytes(std::span("hello", 5)));
  CHECK_THROWS_WITH(open(folder / "x.npy"), Contains("is no .npy and no .npz"));
  CHECK_THROWS_AS(open(folder / "absent.npy"), DataError);
  CHECK_THROWS_AS(open_dataset({.name = "array"}, 1), ConfigError);
  write_npy(folder / "y.npy", images(4));
  CHECK_THROWS_AS(open(folder / "y.npy", 1), ConfigError);
  const std::string path = (folder / "y.npy").string();
  CHECK_THROWS_WITH(open_dataset({.name = "array", .path = path, .image_size = 8}, 1), Contains("4x4"));
}

TEST_CASE("what is imported reads back as it was") {
  test::TemporaryFolder folder;
  test::write_tiny_mnist(folder / "mnist", 5, 3, true);
  const ImageArrays imported = import_images(folder / "mnist");
  write_image_arrays(folder / "mnist.npz", imported);
  const auto from_array = open(folder / "mnist.npz");
  const auto from_files = open_dataset({.name = "mnist", .path = (folder / "mnist").string()}, 1);
  std::vector<float> a(784), b(784);
  for (const Split split : {Split::train, Split::test}) {
    REQUIRE(from_array->size(split) == from_files->size(split));
    for (int64_t i = 0; i < from_array->size(split); ++i) {
      from_array->read(split, i, a.data());
      from_files->read(split, i, b.data());
      REQUIRE(a == b);
      REQUIRE(from_array->label(split, i) == from_files->label(split, i));
    }
  }
  CHECK(import_images(folder / "mnist/train-images-idx3-ubyte.gz").train.images.shape == Shape{5, 28, 28, 1});
  CHECK(import_images(folder / "mnist.npz").test->labels == imported.test->labels);
  test::write_quickly(folder / "text", std::as_bytes(std::span("no images here", 14)));
  CHECK_THROWS_AS(import_images(folder / "text"), DataError);
  CHECK_THROWS_AS(import_images(folder / "absent"), DataError);
}
