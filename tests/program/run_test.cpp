// Training, sampling and denoising as a user runs them: the folders, the bytes, interruption and resumption.
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "engine/io/safetensors.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;

/// A recipe small enough to train in a second or two.
Words tiny_points() {
  return {"gaussians25",
          "--set",
          "score.width=16",
          "--set",
          "critic.width=16",
          "--set",
          "noise.levels=10",
          "--set",
          "training.batch_size=16",
          "--set",
          "training.steps=8",
          "--set",
          "sampling.step_size=0",
          "--set",
          "training.checkpoint_every=3",
          "--set",
          "training.preview_every=0",
          "--set",
          "training.log_every=1",
          "--set",
          "training.held_out_samples=16",
          "--quiet"};
}
Words tiny_digits() {
  return {"digits",
          "--set",
          "score.width=4",
          "--set",
          "critic.width=4",
          "--set",
          "noise.levels=6",
          "--set",
          "training.batch_size=4",
          "--set",
          "training.steps=4",
          "--set",
          "training.preview_every=4",
          "--set",
          "training.held_out_samples=4",
          "--quiet"};
}

Finished train(const Words& recipe, const std::string& out, const Words& more = {}) {
  Words words{"train"};
  words.insert(words.end(), recipe.begin(), recipe.end());
  words.insert(words.end(), {"--out", out, "--threads", "1"});
  words.insert(words.end(), more.begin(), more.end());
  return test::ascore(words);
}

void check_same_training(const std::filesystem::path& a, const std::filesystem::path& b) {
  const SafetensorsFile first = read_safetensors(a), second = read_safetensors(b);
  CHECK(first.tensors == second.tensors);
  CHECK(first.metadata == second.metadata);
}

}  // namespace

TEST_CASE("a run stopped halfway and resumed equals the uninterrupted one, bit for bit", "[program]") {
  const bool digits = GENERATE(false, true);
  INFO((digits ? "adversarial NCSNv2 on digits" : "adversarial MLP on points"));
  const Words recipe = digits ? tiny_digits() : tiny_points();
  const std::string last = digits ? "checkpoints/step-000004.safetensors" : "checkpoints/step-000008.safetensors";
  const Folder folder;
  const Finished whole = train(recipe, folder / "whole");
  INFO(whole.err);
  REQUIRE(whole.code == 0);
  CHECK(whole.err.empty());
  CHECK(whole.out == folder / ("whole/" + last) + "\n");
  REQUIRE(train(recipe, folder / "parts", {"--max-steps", digits ? "2" : "5"}).code == 0);
  CHECK_FALSE(std::filesystem::exists(folder / ("parts/" + last)));
  REQUIRE(train(recipe, folder / "parts", {"--resume"}).code == 0);
  check_same_training(folder.path("whole/" + last), folder.path("parts/" + last));
  CHECK(read_safetensors(folder.path("whole/" + last)).metadata.at("recipe").find("[critic]") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "whole/metrics.jsonl"));
  CHECK(std::filesystem::exists(folder / "whole/samples/step-000004.png") == digits);

  // Finished: resuming is no error and changes nothing. Without --resume the folder is safe.
  CHECK(train(recipe, folder / "whole", {"--resume"}).code == 0);
  test::check_refused(train(recipe, folder / "whole"), 2, "--overwrite");
  check_same_training(folder.path("whole/" + last), folder.path("parts/" + last));
  CHECK(train({}, folder / "whole", {"--resume", "--quiet"}).code == 0);
  Words other = recipe;
  other.insert(other.end(), {"--set", "score.ema=0.5"});
  test::check_refused(train(other, folder / "whole", {"--resume"}), 2, "score.ema");
  CHECK(train(recipe, folder / "whole", {"--overwrite", "--max-steps", "0"}).code == 0);
  CHECK_FALSE(std::filesystem::exists(folder / ("whole/" + last)));
}

TEST_CASE("a run whose last checkpoint is damaged says which one it can go on from, and ends in the same bits",
          "[program]") {
  const Folder folder;
  const std::string last = "run/checkpoints/step-000008.safetensors";
  REQUIRE(train(tiny_points(), folder / "run").code == 0);
  const SafetensorsFile whole = read_safetensors(folder.path(last));
  const std::string metrics = test::contents(folder.path("run/metrics.jsonl"));
  std::filesystem::resize_file(folder / last, 1000);
  test::check_refused(train({}, folder / "run", {"--resume"}), 3, "write step-000006.safetensors into");

  std::ofstream(folder / "run/checkpoints/latest") << "step-000006.safetensors\n";
  REQUIRE(train({}, folder / "run", {"--resume", "--quiet"}).code == 0);
  CHECK(read_safetensors(folder.path(last)).tensors == whole.tensors);
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  CHECK(lines(test::contents(folder.path("run/metrics.jsonl"))) == lines(metrics));
}

TEST_CASE("samples are the same bytes for any batch size and number of threads", "[program]") {
  const bool digits = GENERATE(false, true);
  const Folder folder;
  REQUIRE(train(digits ? tiny_digits() : tiny_points(), folder / "run").code == 0);
  const auto sample = [&](const std::string& out, const Words& more, const std::string& seed = "7") {
    Words words{"sample", folder / "run", "--out", folder / out, "--seed", seed, "--count", "10", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished run = test::ascore(words);
    INFO(run.err);
    REQUIRE(run.code == 0);
    return test::contents(folder.path(out + "/samples.npz")) + test::contents(folder.path(out + "/samples_plain.npz"));
  };
  for (const std::string sampler : {"cas", "als"}) {
    INFO(sampler);
    const std::string first = sample(sampler + "-a", {"--sampler", sampler, "--batch", "10", "--threads", "1"});
    CHECK(sample(sampler + "-b", {"--sampler", sampler, "--batch", "3", "--threads", "2"}) == first);
    CHECK(sample(sampler + "-c", {"--sampler", sampler, "--batch", "3", "--threads", "1"}) == first);
  }
  CHECK(sample("seed", {}, "8") != sample("same-seed", {}));
  const HostTensor drawn = read_npz(folder.path("cas-a/samples.npz")).at("arr_0");
  CHECK(drawn.shape == (digits ? Shape{10, 8, 8, 1} : Shape{10, 2}));
  CHECK(drawn.dtype == (digits ? DType::u8 : DType::f32));
  CHECK(std::filesystem::exists(folder / "cas-a/grid.png"));
  CHECK(std::filesystem::exists(folder / "cas-a/images/00009.png") == digits);

  const Words words{"sample", folder / "run", "--out", folder / "cas-a", "--quiet"};
  test::check_refused(test::ascore(words), 2, "--overwrite");
  Words step = words;
  step.insert(step.end(), {"--overwrite", "--step-size", "1"});
  test::check_refused(test::ascore(step), 2, "step size");
  CHECK(std::filesystem::exists(folder / "cas-a/samples.npz"));
  // With --overwrite the new set takes the place of all of the old one, and of nothing else.
  std::ofstream(folder / "cas-a/notes.txt") << "mine";
  Words again{"sample", folder / "run/checkpoints/latest", "--out", folder / "cas-a", "--count", "2"};
  again.insert(again.end(), {"--seed", "7", "--sampler", "cas", "--quiet", "--overwrite"});
  REQUIRE(test::ascore(again).code == 0);
  CHECK(read_npz(folder.path("cas-a/samples.npz")).at("arr_0").shape[0] == 2);
  CHECK_FALSE(std::filesystem::exists(folder / "cas-a/images/00002.png"));
  CHECK(test::contents(folder.path("cas-a/notes.txt")) == "mine");
  CHECK_FALSE(std::filesystem::exists(folder / "cas-a/.ascore.partial"));
  const Finished measured =
      test::ascore({"evaluate", folder / "cas-a/samples.npz", "--reference", digits ? "digits" : "gaussians25"});
  CHECK(measured.code == 0);
  CHECK(measured.out.find(digits ? "\"halves_frechet\"" : "\"within_3sd\"") != std::string::npos);
  CHECK(measured.out.find("\"denoised\":true,\"ema\":true,\"step\":") != std::string::npos);
}

TEST_CASE("denoise adds sigma times the network's output", "[program]") {
  const Folder folder;
  REQUIRE(train(tiny_points(), folder / "run").code == 0);
  const HostTensor x = HostTensor::from(std::vector<float>{0.5f, -1.f, 0.25f, 2.f, 0.f, 1.f}, {3, 2});
  write_npy(folder.path("x.npy"), x);
  std::map<std::string, std::vector<double>> results;
  for (const std::string what : {"denoised", "network", "score"}) {
    const std::string out = folder / (what + ".npy");
    const Finished run = test::ascore(
        {"denoise", folder / "run", "--input", folder / "x.npy", "--sigma", "0.5", "--output", out, "--what", what});
    INFO(run.err);
    REQUIRE(run.code == 0);
    results[what] = read_npy(out).to_doubles();
  }
  const std::vector<double> in = x.to_doubles();
  for (size_t i = 0; i < in.size(); ++i) {
    CHECK(results["denoised"][i] == Approx(in[i] + 0.5 * results["network"][i]).margin(1e-6));
    CHECK(results["score"][i] == Approx(results["network"][i] / 0.5).margin(1e-6));
  }
  write_npy(folder.path("wrong.npy"), HostTensor({3, 3}, DType::f32));
  test::check_refused(test::ascore({"denoise", folder / "run", "--input", folder / "wrong.npy", "--sigma", "0.5",
                                    "--output", folder / "y.npy"}),
                      3, "wrong.npy");
}

TEST_CASE("what is missing or broken is said in one line, with its exit code", "[program]") {
  const Folder folder;
  test::check_refused(train({"cifar10_ncsnv2", "--set", "data.path=/no/such/folder"}, folder / "cifar"), 3,
                      "/no/such/folder");
  CHECK_FALSE(std::filesystem::exists(folder / "cifar"));
  test::check_refused(train({"no-such-recipe"}, folder / "x"), 3, "no-such-recipe");
  test::check_refused(train({"digits", "--set", "score.widht=3"}, folder / "x"), 2, "did you mean score.width?");
  test::check_refused(train({"digits", "--set", "sampling.step_size=1"}, folder / "x"), 2, "step size");
  if (!is_available(Device::cuda))
    test::check_refused(train({"digits", "--device", "cuda"}, folder / "x"), 6, "--device cuda");
  CHECK_FALSE(std::filesystem::exists(folder / "x"));

  std::filesystem::create_directory(folder / "precious");
  std::ofstream(folder / "precious/thesis.txt") << "years of work";
  test::check_refused(train(tiny_points(), folder / "precious"), 2, "exists");
  test::check_refused(train(tiny_points(), folder / "precious", {"--overwrite"}), 2, "is not a run");
  CHECK(test::contents(folder.path("precious/thesis.txt")) == "years of work");

  REQUIRE(train(tiny_points(), folder / "run", {"--max-steps", "1"}).code == 0);
  const std::string whole = test::contents(folder.path("run/checkpoints/step-000001.safetensors"));
  for (const size_t size : {size_t{0}, size_t{5}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(folder / "cut.safetensors", std::ios::binary) << whole.substr(0, size);
    test::check_refused(test::ascore({"sample", folder / "cut.safetensors", "--out", folder / "s"}), 3,
                        "cut.safetensors");
    test::check_refused(test::ascore({"info", folder / "cut.safetensors"}), 3, "cut.safetensors");
  }
  std::string damaged = whole;
  damaged[whole.size() - 9] = static_cast<char>(damaged[whole.size() - 9] ^ 1);
  std::ofstream(folder / "cut.safetensors", std::ios::binary) << damaged;
  test::check_refused(test::ascore({"sample", folder / "cut.safetensors", "--out", folder / "s"}), 3, "checksum");
  test::check_refused(test::ascore({"sample", folder / "nowhere", "--out", folder / "s"}), 3, "nowhere");
  test::check_refused(test::ascore({"sample", folder / "precious", "--out", folder / "s"}), 3, "precious");
  CHECK_FALSE(std::filesystem::exists(folder / "s"));
  CHECK(test::ascore({"info", folder / "run"}).out.find("checkpoint.step") != std::string::npos);
}

TEST_CASE("a folder is written to by one process at a time", "[program]") {
  const Folder folder;
  Words recipe = tiny_points();
  recipe.insert(recipe.end(), {"--set", "training.steps=1000000"});
  const auto words = [&](const Words& more) {
    Words all{"train"};
    all.insert(all.end(), recipe.begin(), recipe.end());
    all.insert(all.end(), {"--out", folder / "run", "--threads", "1"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  test::ascore(words({}), [&](pid_t process) {
    for (int i = 0; i < 3000 && !std::filesystem::exists(folder / "run/metrics.jsonl"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    for (const std::string how : {"--resume", "--overwrite"}) {
      test::check_refused(test::ascore(words({how})), 2, "another process is writing");
    }
    kill(process, SIGKILL);
  });
  CHECK(train(recipe, folder / "run", {"--resume", "--max-steps", "1"}).code == 0);
}

TEST_CASE("data stats describes the data of a recipe", "[program]") {
  const Finished run = test::ascore({"data", "stats", "digits", "--json"});
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.out.find("\"largest_distance\"") != std::string::npos);
  CHECK(run.out.find("\"sample_shape\": \"[8,8,1]\"") != std::string::npos);
}

TEST_CASE("a network that standardizes is sampled as one batch", "[program]") {
  Folder folder;
  Words recipe = tiny_digits();
  recipe.insert(recipe.end(), {"--set", "score.standardize=true"});
  REQUIRE(train(recipe, folder / "run", {"--max-steps", "1"}).code == 0);
  const auto sample = [&](const std::string& batch) {
    return test::ascore({"sample", folder / "run", "--out", folder / "samples", "--count", "3", "--batch", batch,
                         "--threads", "1", "--quiet"});
  };
  test::check_refused(sample("2"), 2, "--batch 2: a network with standardize takes all 3 samples as one batch");
  CHECK(sample("3").code == 0);
}
