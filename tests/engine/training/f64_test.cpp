// Training in f64: everything that a run keeps is f64, it resumes to the bit, and f32 follows it within f32's rounding.
#include "engine/io/json_lines.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace ascore;
using test::SmallRun;
using test::SmallTrainer;

namespace {

/// Trains to `steps` in `compute`, from the folder's latest checkpoint if it has one.
void train(SmallRun& run, const std::filesystem::path& folder, int64_t steps, DType compute) {
  run.config.training.steps = steps;
  SmallTrainer small(run, folder, 16, Device::cpu, compute);
  if (const auto file = latest_checkpoint(folder)) small.trainer.resume(read_checkpoint(*file));
  REQUIRE(small.run() == TrainingEnd::finished);
}

}  // namespace

TEST_CASE("an f64 run keeps f64 tensors, and resumed halfway it equals the uninterrupted one, bit for bit") {
  const auto [images, adversarial] = GENERATE(table<bool, bool>({{false, false}, {true, true}}));
  CAPTURE(images, adversarial);
  SmallRun run(images, adversarial);
  const test::TemporaryFolder whole, halves;
  train(run, whole.path(), 6, DType::f64);
  train(run, halves.path(), 3, DType::f64);
  train(run, halves.path(), 6, DType::f64);
  CHECK(test::file_bytes(checkpoint_file(halves.path(), 6)) == test::file_bytes(checkpoint_file(whole.path(), 6)));

  const Checkpoint last = read_checkpoint(checkpoint_file(whole.path(), 6));
  CHECK(last.precision == "f64");
  bool wider_than_f32 = false;
  for (const auto& [name, values] : last.tensors) {
    INFO(name);
    CHECK(values.dtype == DType::f64);
    for (const double value : values.to_doubles()) {
      wider_than_f32 = wider_than_f32 || static_cast<double>(static_cast<float>(value)) != value;
    }
  }
  CHECK(wider_than_f32);
}

TEST_CASE("the first losses of a run in f32 are those of the run in f64, within f32's rounding") {
  const auto [images, adversarial] = GENERATE(table<bool, bool>({{false, true}, {true, true}}));
  CAPTURE(images, adversarial);
  SmallRun run(images, adversarial);
  const test::TemporaryFolder wide, narrow;
  train(run, wide.path(), 4, DType::f64);
  train(run, narrow.path(), 4, DType::f32);
  const auto exact = read_json_lines(wide / "metrics.jsonl"), rounded = read_json_lines(narrow / "metrics.jsonl");
  REQUIRE(exact.size() == 4);
  REQUIRE(rounded.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    for (const char* const part : {"loss", "dsm", "generator", "critic"}) {
      CAPTURE(i, part);
      // Adam divides by the root of squares: a gradient near 0 may turn its whole step over, so later losses say less
      const double tolerance = i == 0 ? 1e-5 : 1e-2;
      CHECK(rounded[i].at(part) == Approx(exact[i].at(part)).epsilon(tolerance).margin(tolerance));
      if (i == 0) CHECK(rounded[i].at(part) != exact[i].at(part));
    }
  }
}

TEST_CASE("a run of one precision is not resumed in another") {
  SmallRun run(false, false);
  const test::TemporaryFolder folder;
  train(run, folder.path(), 1, DType::f64);
  SmallTrainer small(run, folder.path());
  CHECK_THROWS_WITH(small.trainer.resume(read_checkpoint(latest_checkpoint(folder.path()).value())),
                    Catch::Contains("resume on cpu in f64"));
}
