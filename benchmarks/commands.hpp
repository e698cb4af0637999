#pragma once

#include "benchmarks/options.hpp"

namespace ascore::bench {

/// Median time of a score matching training step of NCSNv2 on the cpu: noise, forward, loss, backward, Adam and
/// average.
///   --width 128  --size 32  --channels 3  --batch 4  --threads 0 (all)  --warm-up 3  --steps 10
void step(Options& options);

/// Times of conv2d forward, dgrad and wgrad on the cpu for the shapes of NCSNv2, f32, checked before they are timed.
///   --width 128  --batch 4  --threads 0 (all)  --repeats 15
void conv2d(Options& options);

}  // namespace ascore::bench
