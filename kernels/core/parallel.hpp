#pragma once

#include "kernels/core/dry_run.hpp"

#include <cstdint>

namespace ascore::kernels {

/// Runs body(i) for i in [0, count) on the stream's threads. Every i is independent and writes its own outputs, so the
/// result does not depend on the number of threads. Loops below `serial_below` iterations stay on the calling thread.
/// On a dry stream nothing runs.
template <class Body>
void parallel_for(const Stream& stream, int64_t count, int64_t serial_below, Body&& body) {
  if (is_dry(stream)) return;
  const int threads = count < serial_below ? 1 : stream.threads();
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
  for (int64_t i = 0; i < count; ++i) body(i);
}

/// Runs body(begin, end) over [0, count) cut into chunks of `chunk`: for loops whose body the compiler should
/// vectorise.
template <class Body>
void parallel_chunks(const Stream& stream, int64_t count, int64_t chunk, Body&& body) {
  const int64_t chunks = (count + chunk - 1) / chunk;
  parallel_for(stream, chunks, 2, [&](int64_t i) {
    const int64_t begin = i * chunk, end = begin + chunk < count ? begin + chunk : count;
    body(begin, end);
  });
}

}  // namespace ascore::kernels
