// Data sets as a user brings them in: data stats, data import, and training from them.
#include "engine/io/npz.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/images.hpp"
#include "tests/support/mnist.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

std::string set_path(const std::string& path) {
  return "data.path=" + path;
}

}  // namespace

TEST_CASE("the mnist recipe trains from idx files, and samples", "[program]") {
  Folder folder;
  test::write_tiny_mnist(folder.path("mnist"), 40, 8, true);
  const Finished run = test::ascore({"train",
                                     "mnist",
                                     "--out",
                                     folder / "run",
                                     "--threads",
                                     "1",
                                     "--quiet",
                                     "--set",
                                     set_path(folder / "mnist"),
                                     "--set",
                                     "score.width=4",
                                     "--set",
                                     "critic.width=4",
                                     "--set",
                                     "noise.levels=8",
                                     "--set",
                                     "training.batch_size=4",
                                     "--set",
                                     "training.steps=3",
                                     "--set",
                                     "training.preview_every=0",
                                     "--set",
                                     "training.held_out_samples=4"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(std::filesystem::is_regular_file(folder.path("run/checkpoints/step-000003.safetensors")));
  REQUIRE(test::ascore({"sample", folder / "run", "--out", folder / "samples", "--count", "2", "--batch", "2",
                        "--threads", "1", "--quiet"})
              .code == 0);
  CHECK(read_npz(folder / "samples/samples.npz").at("arr_0").shape == Shape{2, 28, 28, 1});
}

TEST_CASE("data import makes an array that recipes take", "[program]") {
  Folder folder;
  test::write_tiny_mnist(folder.path("mnist"), 40, 8, false);
  const std::string out = folder / "mnist.npz";
  const Finished import = test::ascore({"data", "import", folder / "mnist", "--out", out});
  INFO(import.err);
  REQUIRE(import.code == 0);
  CHECK(import.out.find("[28,28,1]") != std::string::npos);
  const std::string bytes = test::contents(out);
  test::check_refused(test::ascore({"data", "import", folder / "mnist", "--out", out}), 2, "--overwrite");
  CHECK(test::contents(out) == bytes);
  CHECK(test::ascore({"data", "import", folder / "mnist", "--out", out, "--overwrite"}).code == 0);
  CHECK(test::contents(out) == bytes);

  const Finished files = test::ascore({"data", "stats", "mnist", "--set", set_path(folder / "mnist")});
  const Finished array = test::ascore({"data", "stats", "mnist", "--set", set_path(out), "--set", "data.name=array",
                                       "--set", "data.image_size=28", "--set", "data.channels=1"});
  REQUIRE(files.code == 0);
  REQUIRE(array.code == 0);
  const auto after_name = [](const std::string& text) { return text.substr(text.find('\n')); };
  CHECK(after_name(files.out) == after_name(array.out));
  CHECK(files.out.find("40") != std::string::npos);
}

TEST_CASE("a folder of pictures is trained from, broken ones left out, and imported", "[program]") {
  Folder folder;
  std::filesystem::create_directories(folder.path("pictures/more"));
  for (const char* name : {"a.png", "b.png", "more/c.png", "more/d.png"}) {
    test::write_quickly(folder.path("pictures") / name, test::picture_file("color.png"));
  }
  const auto train = [&](const std::string& skip) {
    std::vector<std::string> words = {"train", "celeba_64", "--out", folder / "run", "--threads", "1", "--quiet"};
    for (const std::string& set :
         {std::string("data.name=folder"), set_path(folder / "pictures"), std::string("data.image_size=16"),
          std::string("data.test_fraction=0.25"), "data.skip_broken=" + skip, std::string("score.width=4"),
          std::string("noise.levels=8"), std::string("noise.sigma_begin=5"), std::string("training.batch_size=2"),
          std::string("training.steps=2"), std::string("training.preview_every=0"),
          std::string("training.held_out_samples=1"), std::string("sampling.step_size=0")}) {
      words.insert(words.end(), {"--set", set});
    }
    return test::ascore(words);
  };
  const std::string out = folder / "pictures.npz";
  test::check_refused(test::ascore({"data", "import", folder / "pictures", "--out", out}), 3, "--image-size");
  REQUIRE(test::ascore({"data", "import", folder / "pictures", "--image-size", "12", "--out", out}).code == 0);
  CHECK(read_npz(out).at("images").shape == Shape{4, 12, 12, 3});

  test::write_quickly(folder.path("pictures/broken.png"), std::vector<std::byte>(7));
  test::check_refused(
      test::ascore({"data", "import", folder / "pictures", "--image-size", "12", "--out", folder / "x.npz"}), 3,
      "broken.png: neither PNG");
  const Finished run = train("true");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.error_lines() == 1);
  CHECK(run.err.find("ascore: data.skip_broken: 1 of 5 images are left out") == 0);
  CHECK(std::filesystem::is_regular_file(folder.path("run/checkpoints/step-000002.safetensors")));
}

TEST_CASE("wrong data and options of the data commands are one line", "[program]") {
  Folder folder;
  test::check_refused(test::ascore({"data", "stats", "mnist", "--set", set_path(folder / "absent")}), 3,
                      "train-images-idx3-ubyte");
  test::check_refused(test::ascore({"data", "stats", "mnist", "--set", "data.path=''"}), 2, "say where");
  test::check_refused(test::ascore({"data", "stats", "mnist", "--set", "data.image_size=64"}), 2, "28 or 32 pixels");
  test::check_refused(test::ascore({"data", "stats", "mnist", "--set", "data.name=array", "--set", "data.path=x.npy"}),
                      2, "images of any size");
  test::check_refused(test::ascore({"data", "stats", "digits", "--device", "simt"}), 2, "--device simt");
  test::check_refused(test::ascore({"data", "stats", "digits", "--precision", "bf16"}), 2, "--precision bf16");
  test::check_refused(test::ascore({"evaluate", "x.npz", "--reference", "digits", "--device", "simt"}), 2,
                      "--device simt");
  test::check_refused(test::ascore({"data", "import", folder / "absent", "--out", folder / "a.npz"}), 3, "absent");
  test::check_refused(test::ascore({"data", "import", folder / "absent", "--out", folder / "a.npy"}), 2, ".npz");
  test::check_refused(test::ascore({"data", "import", folder / "absent"}), 2, "--out");
  CHECK_FALSE(std::filesystem::exists(folder.path("a.npz")));
}
