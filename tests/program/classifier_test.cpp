// Classifiers as a user trains them and measures by them; what else evaluate says of classes and neighbours.
#include "engine/data/dataset.hpp"
#include "engine/io/npz.hpp"
#include "engine/io/png.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cmath>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

nlohmann::json measured(const std::vector<std::string>& arguments) {
  const Finished done = test::ascore(arguments);
  INFO(done.err);
  REQUIRE(done.code == 0);
  return nlohmann::json::parse(done.out);
}

/// A run in DIR/run that knows the digits of the program.
void train_digits(const Folder& folder) {
  const std::string recipe =
      "[data]\nname = 'digits'\n[classifier]\nwidth = 8\nlr = 3e-3\nema = 0.9\n"
      "[training]\nsteps = 200\nbatch_size = 32\nlog_every = 100\nheld_out_every = 100\nheld_out_samples = 1000\n";
  test::write_quickly(folder.path("digits.toml"), std::as_bytes(std::span(recipe)));
  const Finished done = test::ascore({"train", folder / "digits.toml", "--out", folder / "run", "--threads", "1"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out == folder / "run/checkpoints/step-000200.safetensors\n");
}

/// The first training digit of every kind, and of red, green and blue that many images: [N,8,8,3].
HostTensor stacked(const std::vector<std::array<int, 3>>& kinds) {
  const auto data = open_dataset({.name = "digits"}, 1);
  std::vector<std::vector<float>> digits(10);
  for (int64_t i = 0; i < data->size(Split::train); ++i) {
    auto& digit = digits[static_cast<size_t>(data->label(Split::train, i))];
    if (!digit.empty()) continue;
    digit.resize(64);
    data->read(Split::train, i, digit.data());
  }
  HostTensor images({static_cast<int64_t>(kinds.size()), 8, 8, 3}, DType::f32);
  for (size_t n = 0; n < kinds.size(); ++n) {
    for (size_t c = 0; c < 3; ++c) {
      for (size_t p = 0; p < 64; ++p) {
        images.as<float>()[(n * 64 + p) * 3 + c] = digits[static_cast<size_t>(kinds[n][c])][p];
      }
    }
  }
  return images;
}

}  // namespace

TEST_CASE("a classifier is trained, resumed, told of, and measured by", "[program]") {
  const Folder folder;
  train_digits(folder);
  const std::string log = test::contents(folder.path("run/metrics.jsonl"));
  const auto last = nlohmann::json::parse(log.substr(log.rfind('\n', log.size() - 2) + 1));
  CHECK(last["step"] == 200);
  CHECK(last["held_out_accuracy"].get<double>() >= 0.95);
  CHECK_FALSE(last.contains("dsm"));
  CHECK(test::ascore({"train", "--resume", "--out", folder / "run", "--threads", "1"}).code == 0);

  const auto info = measured({"info", folder / "run", "--json"});
  CHECK(info["classifier"]["width"] == 8);
  CHECK(info["parameters"]["classifier"].get<int>() > 1000);
  CHECK_FALSE(info.contains("score"));
  test::check_refused(test::ascore({"sample", folder / "run", "--out", folder / "samples", "--count", "2"}), 2,
                      "classifier");

  const std::string features = "classifier:" + folder / "run";
  SECTION("images of its own kind: a distance of features, and the Inception score") {
    REQUIRE(test::ascore({"stats", folder / "digits.toml", "--split", "train", "--features", features, "--out",
                          folder / "known.npz"})
                .code == 0);
    const auto data = open_dataset({.name = "digits"}, 1);
    HostTensor images({100, 8, 8, 1}, DType::f32);
    for (int64_t i = 0; i < 100; ++i) data->read(Split::train, i, &images.as<float>()[static_cast<size_t>(64 * i)]);
    write_npz(folder.path("real.npz"), {{"arr_0", images}});
    for (float& value : images.as<float>()) value = 0.5f;
    write_npz(folder.path("grey.npz"), {{"arr_0", images}});
    const auto measure = [&](const std::string& what) {
      return measured(
          {"evaluate", folder / what, "--reference", folder / "known.npz", "--features", features, "--quiet"});
    };
    const auto real = measure("real.npz"), grey = measure("grey.npz");
    CHECK(real["features"].get<std::string>().starts_with("classifier of digits, step 200, "));
    CHECK(real["inception_score"].get<double>() > 4);  // of parts of ten images, which rarely have all ten digits
    CHECK(grey["inception_score"].get<double>() == Approx(1).margin(1e-4));
    CHECK(grey["inception_score_sd"].get<double>() == Approx(0).margin(1e-4));
    CHECK(10 * real["frechet"].get<double>() < grey["frechet"].get<double>());
    CHECK_FALSE(real.contains("modes"));
  }
  SECTION("three digits in red, green and blue: modes, and how even they are") {
    std::vector<std::array<int, 3>> all, few;
    for (int n = 0; n < 1000; ++n) all.push_back({n / 100, n / 10 % 10, n % 10}), few.push_back({3, n % 4, 7});
    write_npz(folder.path("all.npz"), {{"arr_0", stacked(all)}});
    write_npz(folder.path("few.npz"), {{"arr_0", stacked(few)}});
    const auto measure = [&](const std::string& what) {
      return measured({"evaluate", folder / what, "--reference", folder / "all.npz", "--features", features, "--quiet",
                       "--manifold-count", "0"});
    };
    const auto even = measure("all.npz"), uneven = measure("few.npz");
    CHECK(even["of"] == 1000);
    CHECK(even["modes"].get<int>() >= 729);  // one kind of digit may be taken for another
    CHECK(even["modes_divergence"].get<double>() < 3 * std::log(10.0 / 9) + 0.2);
    CHECK(uneven["modes"].get<int>() <= 4);
    CHECK(uneven["modes"].get<int>() >= 3);
    CHECK(uneven["modes_divergence"].get<double>() == Approx(std::log(1000.0 / 4)).margin(0.4));
    CHECK_FALSE(even.contains("inception_score"));
    CHECK(even["features"].get<std::string>().find("each of 3 channels") != std::string::npos);
  }
  SECTION("what is refused") {
    test::check_refused(
        test::ascore({"evaluate", folder / "run", "--reference", "digits", "--features", "classifier:"}), 2,
        "classifier:RUN");
    test::check_refused(test::ascore({"evaluate", folder / "digits.toml", "--reference", "digits", "--features",
                                      "classifier:" + folder / "nowhere"}),
                        3, "");
    write_npz(folder.path("large.npz"), {{"arr_0", HostTensor({4, 9, 8, 1}, DType::u8)}});
    test::check_refused(test::ascore({"evaluate", folder / "large.npz", "--reference", folder / "large.npz",
                                      "--features", features, "--quiet"}),
                        3, "[8,8,1]");
  }
}

TEST_CASE("evaluate shows each sample beside its nearest images of the reference", "[program]") {
  const Folder folder;
  constexpr int64_t kReal = 40, kSamples = 12, kPixels = 4 * 5 * 3;
  HostTensor real({kReal, 4, 5, 3}, DType::u8), drawn({kSamples, 4, 5, 3}, DType::u8);
  const std::vector<double> draws = test::normals(kReal * kPixels, 3);
  for (size_t i = 0; i < draws.size(); ++i)
    real.as<uint8_t>()[i] = static_cast<uint8_t>(std::clamp(128 + 40 * draws[i], 0.0, 250.0));
  for (int64_t n = 0; n < kSamples; ++n) {  // sample n is a copy of image 3 n, but for 5 of 255 in one value
    std::copy_n(real.as<uint8_t>().begin() + 3 * n * kPixels, kPixels, drawn.as<uint8_t>().begin() + n * kPixels);
    drawn.as<uint8_t>()[static_cast<size_t>(n * kPixels + n)] += 5;
  }
  write_npz(folder.path("real.npz"), {{"images", real}});
  write_npz(folder.path("drawn.npz"), {{"arr_0", drawn}});
  const std::vector<std::string> arguments{
      "evaluate", folder / "drawn.npz",   "--reference",      folder / "real.npz", "--quiet", "--neighbours",
      "3",        "--neighbours-picture", folder / "near.png"};
  CHECK(measured(arguments)["neighbours_picture"] == folder / "near.png");

  std::istringstream table(test::contents(folder.path("near.csv")));
  std::string line;
  std::getline(table, line);
  CHECK(line == "sample,rank,reference,distance");
  double before = 0;
  for (int row = 0; row < 30; ++row) {  // the first ten samples, three neighbours each
    std::getline(table, line);
    int sample = -1, rank = -1, reference = -1;
    double distance = -1;
    REQUIRE(std::sscanf(line.c_str(), "%d,%d,%d,%lf", &sample, &rank, &reference, &distance) == 4);
    CHECK(sample == row / 3);
    CHECK(rank == row % 3 + 1);
    if (rank == 1) CHECK(reference == 3 * sample);
    if (rank == 1) CHECK(distance == Approx(5.0 / 255).epsilon(1e-6));
    if (rank > 1) CHECK(distance >= before);
    before = distance;
  }
  CHECK_FALSE(std::getline(table, line));

  const HostTensor picture = read_png(folder.path("near.png"));
  const int64_t cell = 16 * 5 + 2, high = 16 * 4 + 2;  // enlarged until the sides reach 64
  CHECK(picture.shape == Shape{10 * high + 2, 4 * cell + 2, 3});
  const auto pixel = [&](int64_t row, int64_t column) {  // the corner of a cell
    return picture.as<uint8_t>()[static_cast<size_t>(((2 + row * high) * picture.shape[1] + 2 + column * cell) * 3)];
  };
  for (int64_t row = 0; row < 10; ++row) {
    CHECK(pixel(row, 0) == drawn.as<uint8_t>()[static_cast<size_t>(row * kPixels)]);
    CHECK(pixel(row, 1) == real.as<uint8_t>()[static_cast<size_t>(3 * row * kPixels)]);
  }

  test::check_refused(test::ascore(arguments), 2, "--overwrite");
  const auto refused = [&](const std::string& reference, const std::string& file) {
    return test::ascore(
        {"evaluate", folder / "drawn.npz", "--reference", reference, "--quiet", "--neighbours-picture", file});
  };
  test::check_refused(refused(folder / "real.npz", folder / "near.jpg"), 2, ".png");
  REQUIRE(test::ascore({"stats", folder / "real.npz", "--out", folder / "stats.npz"}).code == 0);
  test::check_refused(refused(folder / "stats.npz", folder / "other.png"), 2, "statistics");
}
