#include "kernels/simt/kernel_error.hpp"
#include "tests/kernels/simt/planted_bugs.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

namespace {

/// Memory of which a planted kernel gets the middle: where no check stops it, it harms nobody.
struct Memory {
  std::vector<float> in = std::vector<float>(3 * test::kPlantedCount, 1.0f), out = in;

  static float* middle(std::vector<float>& memory) { return memory.data() + test::kPlantedCount; }
  void run(Stream& stream, const test::PlantedKernel& kernel) {
    const Shape shape{test::kPlantedCount};
    kernel.run(stream, ConstView(middle(in), shape, DType::f32, Device::simt),
               View(middle(out), shape, DType::f32, Device::simt));
  }
};

SimtChecks all_but(bool SimtChecks::*check) {
  SimtChecks checks;
  checks.*check = false;
  return checks;
}
SimtChecks only(bool SimtChecks::*check) {
  SimtChecks checks = SimtChecks::none();
  checks.*check = true;
  return checks;
}

}  // namespace

TEST_CASE("every planted bug is found by its check, in any order of threads, and by no other") {
  for (const test::PlantedBug& bug : test::planted_bugs()) {
    for (uint64_t schedule = 0; schedule < 4; ++schedule) {
      CAPTURE(bug.kernel.name, schedule);
      Memory memory;
      Stream everything(Device::simt, {.schedule = schedule}), alone(Device::simt, {0, schedule, only(bug.check)}),
          blind(Device::simt, {0, schedule, all_but(bug.check)});
      CHECK_THROWS_AS(memory.run(everything, bug.kernel), KernelError);
      CHECK_THROWS_WITH(memory.run(everything, bug.kernel),
                        Catch::Contains("planted(f32[128], f32[128])") && Catch::Contains("block (") &&
                            Catch::Contains("thread (") && Catch::Contains(bug.message));
      CHECK_THROWS_WITH(memory.run(alone, bug.kernel), Catch::Contains(bug.message));
      CHECK_NOTHROW(memory.run(blind, bug.kernel));
    }
  }
}

TEST_CASE("kernels that keep the rules pass all checks, in any order of threads") {
  for (const test::PlantedKernel& kernel : test::sound_kernels()) {
    for (uint64_t schedule = 0; schedule < 4; ++schedule) {
      CAPTURE(kernel.name, schedule);
      Memory memory;
      Stream stream(Device::simt, {.schedule = schedule});
      CHECK_NOTHROW(memory.run(stream, kernel));
      CHECK_NOTHROW(memory.run(stream, kernel));
    }
  }
}

TEST_CASE("a stream goes on after an error") {
  Stream stream(Device::simt);
  Memory memory;
  for (int i = 0; i < 3; ++i) {
    for (const test::PlantedBug& bug : test::planted_bugs())
      CHECK_THROWS_AS(memory.run(stream, bug.kernel), KernelError);
    for (const test::PlantedKernel& kernel : test::sound_kernels()) CHECK_NOTHROW(memory.run(stream, kernel));
  }
}
