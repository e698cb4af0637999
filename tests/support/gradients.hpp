#pragma once

#include "engine/autograd/context.hpp"

#include <functional>
#include <vector>

namespace ascore::test {

/// Compares the tape's gradients of sum(w * f(inputs)), with fixed random weights w, with central differences in f64 on
/// the cpu, for up to `probes` elements of every input. `f` must be a pure function of the inputs (draws fixed,
/// spectral vectors reset inside). Inputs are drawn by the caller, at least 1e-3 from a kink.
void check_gradients(const std::function<Tensor(Ctx&, const std::vector<Tensor>&)>& f, const std::vector<Shape>& shapes,
                     const std::vector<std::vector<double>>& values, size_t probes = 24, double tolerance = 1e-6);

}  // namespace ascore::test
