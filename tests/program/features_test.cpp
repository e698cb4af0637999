// --features: what images are measured by, how they are streamed through a network, and what is refused.
#include "tools/features.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/io/npz.hpp"
#include "engine/io/safetensors.hpp"
#include "kernels/core/error.hpp"
#include "models/inception_v3.hpp"
#include "tests/models/inception_weights.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tools/evaluation/reference.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

using namespace ascore;
using namespace ascore::tools;
using test::Folder;

namespace {

/// Sums of each channel, minus one; as logits, twice the features.
class ChannelSums final : public FeatureNetwork {
 public:
  ImageFeatures look(Ctx& ctx, const Tensor& images) const override {
    CHECK(images.dim(0) <= 32);  // images go by batches
    CHECK(images.dtype() == DType::f32);
    const Tensor features = affine(ctx, pixel_sum(ctx, images), 1, -1);
    return {features, scale(ctx, features, 2)};
  }
  int64_t width() const override { return 3; }
  int64_t classes() const override { return 3; }
  std::string name() const override { return "channel sums"; }
  int64_t least_samples() const override { return 50; }
};

std::unique_ptr<Features> channel_sums() {
  CommonOptions options;
  options.device = "cpu";
  return network_features(std::make_unique<Session>(options), std::make_unique<ChannelSums>());
}

HostTensor pictures(int64_t count, const Shape& shape, uint64_t seed) {
  HostTensor images({count, shape[0], shape[1], shape[2]}, DType::u8);
  const std::vector<double> draws = test::normals(static_cast<size_t>(images.count()), seed);
  std::ranges::transform(draws, images.as<uint8_t>().begin(),
                         [](double draw) { return static_cast<uint8_t>(std::clamp(128 + 40 * draw, 0.0, 255.0)); });
  return images;
}

/// The features of ChannelSums by plain loops.
std::vector<double> plain_sums(const HostTensor& images) {
  const int64_t pixels = images.shape[1] * images.shape[2];
  std::vector<double> rows(static_cast<size_t>(images.shape[0] * 3), -1.0);
  for (size_t i = 0; i < images.as<uint8_t>().size(); ++i) {
    rows[i / static_cast<size_t>(3 * pixels) * 3 + i % 3] += images.as<uint8_t>()[i] / 255.0;
  }
  return rows;
}

void check_close(const std::vector<double>& values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  for (size_t i = 0; i < values.size(); ++i) CHECK(values[i] == Approx(expected[i]).epsilon(1e-5).margin(1e-5));
}

}  // namespace

TEST_CASE("sets are measured by a network's features, piece by piece", "[program]") {
  const HostTensor images = pictures(70, {4, 5, 3}, 1);
  const auto set = samples_in_memory("drawn", images);
  const auto features = channel_sums();
  const MeasuredSet measured = measure(*set, *features, {.halves = true, .keep = 60});
  CHECK(measured.features == "channel sums");
  const std::vector<double> rows = plain_sums(images);
  const FeatureStatistics expected = feature_statistics(rows, 3);
  CHECK(measured.statistics.count == 70);
  check_close(measured.statistics.mean, expected.mean);
  check_close(measured.statistics.covariance, expected.covariance);
  check_close(measured.first, {rows.begin(), rows.begin() + 180});
  std::vector<double> odd;
  for (size_t row = 1; row < 70; row += 2) odd.insert(odd.end(), {rows[3 * row], rows[3 * row + 1], rows[3 * row + 2]});
  check_close(measured.halves.at(1).covariance, feature_statistics(odd, 3).covariance);

  std::vector<double> pixels = set->read_all();
  const FeatureRows seen = features->of(pixels, set->sample_shape());
  check_close(seen.features, rows);
  std::vector<double> doubled = rows;
  for (double& value : doubled) value *= 2;
  check_close(seen.logits, doubled);

  // Images of another size have the same features, but fewer than the network asks for are not measured.
  Reference other;
  other.samples = samples_in_memory("others", pictures(50, {6, 3, 3}, 2));
  CHECK(measure_reference(other, *features, "drawn", {4, 5, 3}).statistics.count == 50);
  CHECK_THROWS_WITH(measure(*samples_in_memory("few", pictures(49, {4, 5, 3}, 3)), *features),
                    "few: 49 samples, but features of channel sums need at least 50");
  CHECK(measure(*set, *features, {.keep = int64_t{1} << 62}).first.size() == rows.size());
}

TEST_CASE("--features refuses what it cannot look at, and says how to come by weights", "[program]") {
  Folder folder;
  write_npz(folder.path("drawn.npz"), {{"arr_0", pictures(20, {4, 5, 1}, 4)}});
  write_npz(folder.path("points.npz"), {{"arr_0", HostTensor({20, 2}, DType::f32)}});
  const auto refused = [&](const std::string& drawn, const std::string& reference, const std::string& features,
                           int code, const std::string& part) {
    CAPTURE(features);
    test::check_refused(test::ascore({"evaluate", folder / drawn, "--reference", folder / reference, "--quiet",
                                      "--features", features}),
                        code, part);
  };
  refused("drawn.npz", "drawn.npz", "inception", 2, "pixels, inception:WEIGHTS or classifier:RUN");
  refused("drawn.npz", "drawn.npz", "resnet:x", 2, "--features resnet:x");
  refused("points.npz", "points.npz", "inception:x", 2, "points are measured as they are");
  refused("drawn.npz", "drawn.npz", "inception:" + folder / "w.safetensors", 3, "tools/inception_to_safetensors.py");
  write_safetensors(folder.path("other.safetensors"), {{}, {{"conv.weight", HostTensor({2}, DType::f32)}}});
  refused("drawn.npz", "drawn.npz", "inception:" + folder / "other.safetensors", 3,
          "'conv.weight' is no part of the FID Inception-V3");

  const FeatureStatistics statistics = feature_statistics(test::normals(100, 1), 20);
  write_statistics(folder.path("other.npz"), statistics, "inception-v3 01234567");
  refused("drawn.npz", "other.npz", "pixels", 3,
          "statistics of inception-v3 01234567, but the samples' features are pix");
  test::check_refused(test::ascore({"stats", folder / "drawn.npz", "--out", folder / "s.npz", "--device", "simt"}), 2,
                      "--device simt");
}

TEST_CASE("Inception's features of fewer than 2,048 samples are refused, of samples and of statistics", "[program]") {
  Folder folder;
  InceptionV3 network;
  const std::vector<Parameter*> parameters = network.parameters();
  write_safetensors(folder.path("w.safetensors"), {{}, test::drawn_state(parameters)});
  write_npz(folder.path("drawn.npz"), {{"arr_0", pictures(20, {4, 5, 3}, 4)}});
  const std::string features = "inception:" + folder / "w.safetensors";
  const std::string part = "20 samples, but features of inception-v3 ";
  test::check_refused(test::ascore({"evaluate", folder / "drawn.npz", "--reference", folder / "drawn.npz", "--features",
                                    features, "--device", "cpu"}),
                      3, part);
  test::check_refused(test::ascore({"stats", folder / "drawn.npz", "--out", folder / "s.npz", "--features", features,
                                    "--device", "cpu"}),
                      3, part);
  CHECK_FALSE(std::filesystem::exists(folder.path("s.npz")));
}

TEST_CASE("evaluate tells how samples came about, where the file beside them says it", "[program]") {
  Folder folder;
  const HostTensor drawn = pictures(20, {4, 5, 1}, 5);
  for (const char* name : {"samples.npz", "samples_plain.npz", "more.npz"}) {
    write_npz(folder.path(name), {{"arr_0", drawn}});
  }
  const auto evaluate = [&](const std::string& samples) {
    return test::ascore({"evaluate", samples, "--reference", folder / "more.npz", "--quiet"});
  };
  const auto facts = [&](const std::string& samples) { return nlohmann::json::parse(evaluate(samples).out); };
  CHECK_FALSE(facts(folder / "samples.npz").contains("denoised"));
  std::ofstream(folder.path("samples.json")) << R"({"samples.npz": {"denoised": true, "ema": false, "step": 7},
                                                   "samples_plain.npz": {"denoised": false, "ema": true, "step": 8}})";
  const auto of_folder = facts(folder / ".");
  CHECK(of_folder["denoised"] == true);
  CHECK(of_folder["ema"] == false);
  CHECK(of_folder["step"] == 7);
  CHECK(facts(folder / "samples_plain.npz")["denoised"] == false);
  CHECK_FALSE(facts(folder / "more.npz").contains("denoised"));
  std::ofstream(folder.path("samples.json")) << R"({"samples.npz": {"denoised": 1, "ema": false, "step": 7}})";
  test::check_refused(evaluate(folder / "samples.npz"), 3, "samples.json");
  std::ofstream(folder.path("samples.json")) << "{";
  test::check_refused(evaluate(folder / "samples.npz"), 3, "samples.json");
}

TEST_CASE("sweep measures images as evaluate does", "[program]") {
  Folder folder;
  const auto run = [](const std::vector<std::string>& words) {
    const test::Finished done = test::ascore(words);
    INFO(done.err);
    REQUIRE(done.code == 0);
    return done.out;
  };
  run({"train", "digits_plain", "--out", folder / "run", "--quiet", "--threads", "1", "--set", "score.width=4", "--set",
       "noise.levels=5", "--set", "training.batch_size=4", "--set", "training.steps=2", "--set",
       "training.preview_every=0"});
  const std::vector<std::string> draw{"--count", "12",          "--sampler", "als",       "--n-sigma", "1",
                                      "--quiet", "--step-size", "1e-4",      "--threads", "1"};
  std::vector<std::string> sample{"sample", folder / "run", "--out", folder / "samples"}, sweep = sample;
  sweep[0] = "sweep", sweep[3] = folder / "sweep";
  sample.insert(sample.end(), draw.begin(), draw.end());
  sweep.insert(sweep.end(), draw.begin(), draw.end());
  *std::ranges::find(sweep, "1e-4") = "1e-4:1e-4:1";
  run(sample);
  const std::string said = run(sweep), csv = test::contents(folder.path("sweep/sweep.csv"));
  for (const bool denoised : {false, true}) {
    const std::string array = denoised ? "samples/samples.npz" : "samples/samples_plain.npz";
    const auto measured = nlohmann::json::parse(
        run({"evaluate", folder / array, "--reference", "digits_plain", "--manifold-count", "0", "--quiet"}));
    CHECK(measured["denoised"] == denoised);
    CHECK(measured["ema"] == true);
    CHECK(measured["step"] == 2);
    const std::string row = denoised ? ",denoised," : ",plain,";
    const double swept = std::stod(csv.substr(csv.find(row) + row.size()));
    CHECK(measured["frechet"].get<double>() == Approx(swept).epsilon(1e-9));
    CHECK(said.find(measured["reference_checksum"].get<std::string>()) != std::string::npos);
    CHECK(said.find(measured["features"].get<std::string>()) != std::string::npos);
  }
}
