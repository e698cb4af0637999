#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <span>

namespace ascore::test {

/// A small kernel, run as an operation that reads `in` and writes `out`, both kPlantedCount f32, by two blocks of
/// kPlantedCount / 2 threads.
struct PlantedKernel {
  const char* name;
  void (*run)(Stream& stream, ConstView in, View out);
};
inline constexpr int kPlantedCount = 128;

/// A kernel with one bug, the check that finds it, and what the error says.
struct PlantedBug {
  PlantedKernel kernel;
  bool SimtChecks::*check;
  const char* message;
};

std::span<const PlantedBug> planted_bugs();
/// Kernels that look like the bugs and keep the rules.
std::span<const PlantedKernel> sound_kernels();

}  // namespace ascore::test
