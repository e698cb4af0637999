#include "engine/data/dataset.hpp"
#include "engine/metrics/inception_score.hpp"
#include "engine/metrics/neighbours.hpp"
#include "engine/metrics/stacked_modes.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/mnist.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace ascore;

TEST_CASE("true labels of Stacked-MNIST reach every mode, at the divergence of exact samples") {
  // MNIST's training digits of each kind. Their shares add three times their own divergence, together 0.0043, to the
  // 999 / (2 N) = 0.0192 that N uniform draws have.
  constexpr int64_t kDigits[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, kAll = 60'000;
  constexpr int64_t kSamples = 26'000;
  test::TemporaryFolder folder;
  test::write_tiny_mnist(folder.path(), kSamples, 10, false);
  std::string labels("\0\0\x08\x01\0\0\x65\x90", 8);  // 26,000 bytes follow
  for (int digit = 0; digit < 10; ++digit) {
    labels.append(static_cast<size_t>(kDigits[digit] * kSamples / kAll), static_cast<char>(digit));
  }
  labels.resize(8 + kSamples, '\1');  // what rounding has left out
  test::write_quickly(folder.path() / "train-labels-idx1-ubyte", std::as_bytes(std::span(labels)));
  const auto data = open_dataset({.name = "stackedmnist", .path = folder.path().string()}, 1234);
  std::vector<int64_t> modes_of_samples;
  for (int64_t i = 0; i < kSamples; ++i) modes_of_samples.push_back(data->label(Split::train, i));
  const StackedModes modes = stacked_modes(modes_of_samples);
  CHECK(modes.modes == 1000);
  CHECK(modes.divergence == Approx(0.0235).margin(0.002));
}

TEST_CASE("stacked modes of labels that are known") {
  std::vector<int64_t> labels(1000);
  std::iota(labels.begin(), labels.end(), int64_t{0});
  CHECK(stacked_modes(labels).modes == 1000);
  CHECK(stacked_modes(labels).divergence == Approx(0).margin(1e-12));
  CHECK(stacked_modes(std::vector<int64_t>(7, 999)).modes == 1);
  CHECK(stacked_modes(std::vector<int64_t>(7, 999)).divergence == Approx(std::log(1000.0)));
  // each counted once: shares 3/4 and 1/4
  CHECK(stacked_modes(std::vector<int64_t>{5, 5, 5, 6}).divergence ==
        Approx(std::log(1000.0) + 0.75 * std::log(0.75) + 0.25 * std::log(0.25)));
  CHECK_THROWS_AS(stacked_modes({}), DataError);
  CHECK_THROWS_AS(stacked_modes(std::vector<int64_t>{1000}), DataError);
  CHECK_THROWS_AS(stacked_modes(std::vector<int64_t>{-1}), DataError);
}

TEST_CASE("the Inception score lies between 1 and the number of classes") {
  constexpr int64_t kClasses = 5, kSamples = 200;
  std::vector<double> certain(kSamples * kClasses, -1000.0), same, flat(kSamples * kClasses, 3.5);
  for (size_t n = 0; n < kSamples; ++n) certain[n * kClasses + n % kClasses] = 1000;  // exp would overflow
  for (size_t n = 0; n < kSamples; ++n) same.insert(same.end(), {1, 2, 3, 4, 5});
  CHECK(inception_score(certain, kClasses).mean == Approx(5));
  CHECK(inception_score(certain, kClasses).deviation == Approx(0).margin(1e-9));
  CHECK(inception_score(same, kClasses).mean == Approx(1));
  CHECK(inception_score(flat, kClasses).mean == Approx(1));
}

TEST_CASE("the Inception score agrees with its definition, part by part") {
  constexpr size_t kClasses = 7, kSamples = 33, kParts = 10;
  const std::vector<double> logits = test::normals(kClasses * kSamples, 3);
  std::vector<double> scores;
  for (size_t part = 0; part < kParts; ++part) {
    const size_t first = part * kSamples / kParts, end = (part + 1) * kSamples / kParts;
    const auto p = [&](size_t n, size_t k) {
      double sum = 0;
      for (size_t j = 0; j < kClasses; ++j) sum += std::exp(logits[n * kClasses + j]);
      return std::exp(logits[n * kClasses + k]) / sum;
    };
    double divergence = 0;
    for (size_t n = first; n < end; ++n) {
      for (size_t k = 0; k < kClasses; ++k) {
        double mean = 0;
        for (size_t m = first; m < end; ++m) mean += p(m, k) / double(end - first);
        divergence += p(n, k) * std::log(p(n, k) / mean) / double(end - first);
      }
    }
    scores.push_back(std::exp(divergence));
  }
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / kParts;
  double variance = 0;
  for (const double score : scores) variance += (score - mean) * (score - mean) / kParts;
  const InceptionScore score = inception_score(logits, kClasses);
  CHECK(score.mean == Approx(mean).epsilon(1e-12));
  CHECK(score.deviation == Approx(std::sqrt(variance)).epsilon(1e-9));
  CHECK_THROWS_AS(inception_score(std::span(logits).first(9 * kClasses), kClasses), DataError);
}

TEST_CASE("nearest neighbours are those that sorting all distances finds, in whatever pieces") {
  constexpr size_t kRows = 9, kReference = 41, kWidth = 3, kNearest = 4;
  const std::vector<double> rows = test::normals(kRows * kWidth, 1);
  std::vector<double> reference = test::normals(kReference * kWidth, 2);
  std::copy_n(reference.begin(), kWidth, reference.begin() + 20 * kWidth);  // row 20 as row 0: as near, but later
  NearestNeighbours whole(rows, kWidth, kNearest), pieces(rows, kWidth, kNearest);
  whole.add(reference);
  for (size_t first = 0; first < kReference; first += 2) {
    const size_t count = std::min<size_t>(2, kReference - first);
    pieces.add(std::span(reference).subspan(first * kWidth, count * kWidth));
  }
  for (size_t row = 0; row < kRows; ++row) {
    std::vector<std::pair<double, int64_t>> all;
    for (size_t i = 0; i < kReference; ++i) {
      double square = 0;
      for (size_t d = 0; d < kWidth; ++d) {
        square += std::pow(rows[row * kWidth + d] - reference[i * kWidth + d], 2);
      }
      all.emplace_back(std::sqrt(square), static_cast<int64_t>(i));
    }
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return std::abs(a.first - b.first) > 1e-9 ? a.first < b.first : a.second < b.second;
    });
    for (const NearestNeighbours* found : {&whole, &pieces}) {
      const std::vector<Neighbour>& nearest = found->of(static_cast<int64_t>(row));
      REQUIRE(nearest.size() == kNearest);
      for (size_t i = 0; i < kNearest; ++i) {
        CHECK(nearest[i].index == all[i].second);
        CHECK(nearest[i].distance == Approx(all[i].first).margin(1e-6));
      }
    }
  }
  NearestNeighbours few(rows, kWidth, kNearest);
  few.add(std::span(reference).first(2 * kWidth));
  CHECK(few.of(0).size() == 2);
  CHECK_THROWS_AS(NearestNeighbours({}, kWidth, 1), DataError);
  CHECK_THROWS_AS(NearestNeighbours(rows, kWidth, 0), ConfigError);
  CHECK_THROWS_AS(few.add(std::span(reference).first(2)), DataError);
}
